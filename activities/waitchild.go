package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
)

// WaitChild waits until no workflow with that ID runs, however the one that did ended. It
// asks with a long poll, so that the wait adds nothing to the history of who waits.
func (a *Activities) WaitChild(ctx context.Context, in api.WaitChildInput) (api.WaitChildResult, error) {
	kube.Waiting(ctx, "an earlier run's "+in.ID+" is still at work")
	return api.WaitChildResult{}, untilEnded(ctx, activity.GetClient(ctx), in.ID)
}

func untilEnded(ctx context.Context, c client.Client, id string) error {
	err := c.GetWorkflow(ctx, id, "").Get(ctx, nil)
	var ended *temporal.WorkflowExecutionError
	if err == nil || errors.As(err, &ended) || isNotFound(err) {
		return ctx.Err()
	}
	err = fmt.Errorf("wait for the workflow %s: %w", id, err)
	if denied := (*serviceerror.PermissionDenied)(nil); errors.As(err, &denied) {
		return temporal.NewNonRetryableApplicationError(err.Error(), api.TypeForbidden, nil)
	}
	return err
}
