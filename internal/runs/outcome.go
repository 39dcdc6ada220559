package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/connect"
)

// silence is how long who waits for a run bears a Temporal that answers nothing.
const silence = 5 * time.Minute

// askAgain pauses between two questions.
const askAgain = time.Second

// Outcome waits for the end of a run, and returns how it ended. A Temporal that is too busy to
// answer in time tells nothing of the run, so it is asked again.
func Outcome(ctx context.Context, run client.WorkflowRun, out any) error {
	return answered(ctx, silence, func() error { return run.Get(ctx, out) })
}

// answered asks until there is an answer, or none came for so long. A question that was open for
// longer than that had answers in between: those that a run which goes on gives.
func answered(ctx context.Context, limit time.Duration, ask func() error) error {
	for silent := time.Now(); ; {
		asked := time.Now()
		err := ask()
		if time.Since(asked) > limit || held(err) {
			silent = time.Now()
		}
		if ctx.Err() != nil || !late(err) && !held(err) || time.Since(silent) > limit {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
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

// held says whether an error only tells that the run is paused in Temporal, which may last for days.
// Temporal answers then as if the run had ended, with its last event, and the SDK has no type for that.
func held(err error) bool {
	return err != nil && !Ended(err) && strings.Contains(err.Error(), "unexpected event type") && strings.Contains(err.Error(), "workflow execution result")
}

// Told returns an error with what to do, where it only says that no answer came in time.
func Told(err error) error {
	var absent *connect.NotThereError
	var refused *connect.RefusedError
	if !late(err) || errors.As(err, &absent) || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("no answer came from Temporal in time, as when it is busy or the network holds it up (%w); what runs goes on, so try again", err)
}

// Ended tells whether an error is how a run ended, and not that nobody could be asked.
func Ended(err error) bool {
	var (
		run        *temporal.WorkflowExecutionError
		app        *temporal.ApplicationError
		canceled   *temporal.CanceledError
		terminated *temporal.TerminatedError
	)
	return errors.As(err, &run) || errors.As(err, &app) || errors.As(err, &canceled) || errors.As(err, &terminated)
}

// Message returns how a workflow ended, for people: its own error's sentences without Temporal's
// words around them, or who stopped it.
func Message(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	if stopped := Stopped(err); stopped != nil {
		return stopped.Error()
	}
	return err.Error()
}

// Stopped returns who stopped a workflow that was canceled or terminated, and nil where it ended
// otherwise.
func Stopped(err error) error {
	var canceled *temporal.CanceledError
	if errors.As(err, &canceled) {
		said := "the run was canceled"
		if canceled.HasDetails() {
			_ = canceled.Details(&said)
		}
		return errors.New(said)
	}
	var terminated *temporal.TerminatedError
	if errors.As(err, &terminated) {
		return errors.New("the run was terminated in Temporal, which undoes nothing; run it again, or clean up")
	}
	return nil
}
