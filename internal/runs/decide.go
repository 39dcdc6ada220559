package runs

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

// Decide sends a decision about a run: what is the name of an update, such as api.UpdateApprove. It returns the run's answer, which is one sentence.
func Decide(ctx context.Context, c client.Client, r Run, what string, in api.DecisionInput) (string, error) {
	switch {
	case !r.Running():
		return "", fmt.Errorf("no rollout or cleanup of the fleet %s runs (the last %s is %s); there is nothing to %s", r.Fleet, Noun(r.Type), Word(r.Status), what)
	case r.Paused != "":
		return "", fmt.Errorf("the %s of the fleet %s takes no decision now: it is %s", Noun(r.Type), r.Fleet, r.Paused)
	case r.Type == api.CleanupFleet && what == api.UpdateRetry:
		return "", fmt.Errorf("a cleanup of the fleet %s runs, and works on all that is left; when it has ended, `landbridge cleanup` tries the rest again", r.Fleet)
	case r.Type != api.RolloutFleet && r.Type != api.CleanupFleet:
		return "", fmt.Errorf("a %s of the fleet %s runs; `landbridge %s` works for rollouts and cleanups only", Noun(r.Type), r.Fleet, what)
	}
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: r.ID, RunID: r.RunID, UpdateName: what,
		Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	var said string
	if err := h.Get(ctx, &said); err != nil {
		var app *temporal.ApplicationError
		if errors.As(err, &app) {
			return "", &DeclinedError{fmt.Errorf("%s is refused: %s", what, app.Message())}
		}
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return said, nil
}

// DeclinedError reports a decision that a run does not take, such as the approval of a wave that does
// not wait.
type DeclinedError struct{ error }

// Unwrap returns the reason.
func (e *DeclinedError) Unwrap() error { return e.error }
