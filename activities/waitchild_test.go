package activities

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

// running has one workflow, whose end is err.
type running struct {
	client.Client
	client.WorkflowRun
	id  string
	err error
}

func (r *running) GetWorkflow(_ context.Context, id, _ string) client.WorkflowRun {
	r.id = id
	return r
}

func (r *running) Get(context.Context, any) error { return r.err }

func TestWaitChild_HoweverItEnded_TheWaitIsOver(t *testing.T) {
	for name, end := range map[string]error{
		"well":            nil,
		"failed":          &temporal.WorkflowExecutionError{},
		"nobody knows it": serviceerror.NewNotFound("workflow not found"),
	} {
		c := &running{err: end}
		require.NoError(t, untilEnded(t.Context(), c, "landbridge.prod.links.east.west"), name)
		require.Equal(t, "landbridge.prod.links.east.west", c.id)
	}
}

func TestWaitChild_WhereTemporalCannotTell_IsTriedAgainOrGivenUp(t *testing.T) {
	err := untilEnded(t.Context(), &running{err: serviceerror.NewUnavailable("shutting down")}, "x")
	require.ErrorContains(t, err, "wait for the workflow x: shutting down")
	var final *temporal.ApplicationError
	require.False(t, errors.As(err, &final), "it passes")

	err = untilEnded(t.Context(), &running{err: serviceerror.NewPermissionDenied("no", "")}, "x")
	require.ErrorAs(t, err, &final)
	require.True(t, final.NonRetryable(), "the workflow goes on by itself")
	require.Equal(t, api.TypeForbidden, final.Type())

	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, untilEnded(over, &running{err: context.Canceled}, "x"), context.Canceled)
}
