package runs

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/connect"
)

var (
	errLate   = fmt.Errorf("get history: %w", context.DeadlineExceeded)
	errFailed = errors.New("the rollout failed")
)

// A busy Temporal lets an answer wait longer than gRPC does: the run goes on, and so does who
// follows it.
func TestOutcome_TemporalIsTooBusyToAnswer_IsAskedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		want    error
		asked   int
	}{
		"once":            {[]error{errLate, nil}, nil, 2},
		"in its words":    {[]error{serviceerror.NewDeadlineExceeded("x"), errFailed}, errFailed, 2},
		"not at all":      {[]error{errFailed}, errFailed, 1},
		"for a long time": {[]error{errLate}, errLate, int(silence/askAgain) + 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				err := answered(t.Context(), silence, func() error {
					asked++
					return c.answers[min(asked, len(c.answers))-1]
				})
				require.ErrorIs(t, err, c.want)
				require.Equal(t, c.asked, asked)
			})
		})
	}
}

// Somebody pauses the run in Temporal over the night, and unpauses it. The text is that of the SDK 1.50 and
// Temporal 1.32, as it was seen.
func TestOutcome_PausedInTemporal_IsWaitedForWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.ErrorIs(t, answered(t.Context(), silence, func() error {
			if time.Since(began) < 12*time.Hour {
				return errors.New("unexpected event type WorkflowExecutionCancelRequested when handling workflow execution result")
			}
			return errFailed
		}), errFailed)
	})
}

// A rollout that was followed for an hour has not been silent for one.
func TestOutcome_LateAfterALongTime_IsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		require.NoError(t, answered(t.Context(), silence, func() error {
			if asked++; asked == 1 {
				time.Sleep(time.Hour)
				return errLate
			}
			return nil
		}))
		require.Equal(t, 2, asked)
	})
}

func TestOutcome_TheCommandIsInterrupted_EndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	asked := 0
	require.ErrorIs(t, answered(ctx, silence, func() error {
		asked++
		<-ctx.Done()
		return errLate
	}), context.DeadlineExceeded)
	require.Equal(t, 1, asked)
}

func TestTold_NoAnswerInTime_SaysWhatToDo(t *testing.T) {
	require.ErrorContains(t, Told(errLate), "no answer came from Temporal in time")
	for _, err := range []error{errFailed, &connect.NotThereError{Address: "127.0.0.1:7233", Cause: errLate},
		temporal.NewApplicationError("step timed out", "NotReady")} {
		require.EqualError(t, Told(err), err.Error(), "it says what to do itself")
	}
	require.NoError(t, Told(nil))
}
