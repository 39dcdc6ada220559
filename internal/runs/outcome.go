package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/connect"
)

// silence is how long a command that waits for a run bears a Temporal that answers nothing.
const silence = 5 * time.Minute

// outcome waits for the end of a run, and returns how it ended. A Temporal that is too busy to
// answer in time tells nothing of the run, so it is asked again.
func outcome(ctx context.Context, run client.WorkflowRun, out any) error {
	return answered(ctx, silence, func() error { return run.Get(ctx, out) })
}

// answered asks until there is an answer, or none came for so long. A question that was open for
// longer than that had answers in between: those that a run which goes on gives.
func answered(ctx context.Context, limit time.Duration, ask func() error) error {
	for silent := time.Now(); ; {
		asked := time.Now()
		err := ask()
		if time.Since(asked) > limit {
			silent = time.Now()
		}
		if ctx.Err() != nil || !late(err) || time.Since(silent) > limit {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followInterval):
		}
	}
}

// late says whether an error only tells that no answer came in time. How a run ended is an answer,
// also where it took too long.
func late(err error) bool {
	var (
		ended *temporal.WorkflowExecutionError
		late  *serviceerror.DeadlineExceeded
	)
	return !errors.As(err, &ended) && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late))
}

// told returns an error with what to do, where it only says that no answer came in time.
func told(err error) error {
	var absent *connect.NotThereError
	var refused *connect.RefusedError
	if !late(err) || errors.As(err, &absent) || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("no answer came from Temporal in time, as when it is busy or the network holds it up (%w); what runs goes on, so try again", err)
}
