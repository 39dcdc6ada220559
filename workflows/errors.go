package workflows

import (
	"errors"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The types of steps that were canceled or ended at their limit: one that ran, and one
// that no worker took.
const (
	typeCanceled = "Canceled"
	typeTimeout  = "Timeout"
	typeNoWorker = "NoWorker"
)

// A failure stays below 2 KB, as Temporal wants it: maxMessage and maxDetails,
// in bytes, leave room for what is around them.
const (
	maxMessage = 1100
	maxDetails = 700
	// maxLeft, in bytes, is for why one of many steps could not be undone.
	maxLeft = 150
)

// stepError is an activity's error with the step that it belongs to.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return "step " + e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// describe finds the type and the sentence of an error, below the layers that
// Temporal puts around it.
func describe(err error) (typ, message string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type(), app.Message()
	}
	if temporal.IsCanceledError(err) {
		return typeCanceled, "canceled"
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		var act *temporal.ActivityError
		if errors.As(err, &act) && act.StartedEventID() == 0 {
			return typeNoWorker, "no worker took it in time: is one running for its task queue, and with its kubeconfig?"
		}
		if timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_HEARTBEAT {
			return typeTimeout, "the worker stopped in the middle of it"
		}
		return typeTimeout, "it did not end within its limit"
	}
	return api.TypeOther, err.Error()
}

// failureOf makes a Failure of what a cluster or link ended with.
func failureOf(unit api.Unit, err error) api.Failure {
	if list := api.Failures(err); len(list) == 1 {
		return list[0]
	}
	f := api.Failure{Unit: unit}
	f.Type, f.Message = describe(err)
	var s *stepError
	if errors.As(err, &s) {
		f.Step = s.step
	}
	return f
}

// fail is the one typed error that a rollout, a cleanup or a verification ends
// with: one line for each failure, as many as a failure has room for. The
// status tells all of them.
func fail(typ, what string, list []api.Failure) error {
	text, size, details := what, 0, []api.Failure{}
	for i, f := range list {
		line := "\n" + fleet.Brief(f.String(), maxMessage-len(what)-len("\n… and 99 more"))
		if len(text)+len(line) > maxMessage {
			text += fmt.Sprintf("\n… and %d more", len(list)-i)
			break
		}
		text += line
		f.Message = fleet.Brief(f.Message, maxDetails/4)
		if f = fit(f, maxDetails-size); size+sizeOf(f) <= maxDetails {
			size += sizeOf(f)
			details = append(details, f)
		}
	}
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{details}})
}

// failUnit is the error of one cluster or link. Its message and its details are
// the two halves of one Failure, so that nothing is told twice.
func failUnit(typ string, f api.Failure) error {
	text := fleet.Brief(f.Message, maxMessage)
	f.Message = ""
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{[]api.Failure{fit(f, maxDetails)}}})
}

// fit leaves out of what is left as much as does not fit.
func fit(f api.Failure, size int) api.Failure {
	for n := len(f.Left); sizeOf(f) > size && n > 0; n-- {
		f.Left = append(slices.Clone(f.Left[:n-1]), "and more")
	}
	return f
}

// size is about what the details of a failure take, in bytes.
func sizeOf(f api.Failure) int {
	n := len(f.Unit.String()) + len(f.Step) + len(f.Type) + len(f.Message) + len(f.State) + 60
	for _, l := range f.Left {
		n += len(l) + 3
	}
	return n
}
