package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The types of errors for which no activity made one: the step was canceled, it ran past
// its time limit, or no worker took it within the limit.
const (
	typeCanceled = "Canceled"
	typeTimeout  = "Timeout"
	typeNoWorker = "NoWorker"
)

// Limits in bytes. Temporal wants a failure below 2 KB; maxMessage and maxDetails leave
// room for what it puts around them.
const (
	maxMessage = 1100
	maxDetails = 700
	// maxLeft limits the reason why one of many steps could not be undone.
	maxLeft = 150
)

// stepError adds to an activity's error the name of its step.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return "step " + e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// describe returns the type of an error and one sentence about it, without the layers
// that Temporal puts around them.
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
			return typeNoWorker, "no worker took the step in time; check that one runs for the task queue of the cluster"
		}
		if timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_HEARTBEAT {
			return typeTimeout, "the worker stopped before the step had ended"
		}
		return typeTimeout, "the step did not end within its time limit" + lastSaid(timeout)
	}
	return api.TypeOther, err.Error()
}

// lastSaid returns what a step that was cut off was at, as its last heartbeat said.
func lastSaid(err *temporal.TimeoutError) string {
	var at string
	if !err.HasLastHeartbeatDetails() || err.LastHeartbeatDetails(&at) != nil || at == "" {
		return ""
	}
	return "; it was at: " + at
}

// describeFor leaves the unit's own name out of the sentence, since everybody who
// shows it has named the unit before.
func describeFor(unit api.Unit, err error) (typ, message string) {
	typ, message = describe(err)
	return typ, strings.TrimPrefix(message, unit.String()+": ")
}

// failureOf returns the Failure that the error of a unit's workflow carries, or makes one
// of any other error.
func failureOf(unit api.Unit, err error) api.Failure {
	if list := api.Failures(err); len(list) == 1 {
		return list[0]
	}
	f := api.Failure{Unit: unit}
	f.Type, f.Message = describeFor(unit, err)
	var s *stepError
	if errors.As(err, &s) {
		f.Step = s.step
	}
	return f
}

// fail returns the one typed error that a rollout, a cleanup or a verification ends
// with: what happened, and then a line for each failure, as many as there is room for.
// The status lists the rest.
func fail(typ, what string, list []api.Failure) error {
	text, shown := listed(what, list)
	size, details := 0, []api.Failure{}
	for _, f := range list[:shown] {
		f.Message = fleet.Brief(f.Message, maxDetails/4)
		if f = fit(f, maxDetails-size); size+sizeOf(f) <= maxDetails {
			size += sizeOf(f)
			details = append(details, f)
		}
	}
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{details}})
}

// listed returns what happened, and a line for each failure that there is room for; shown
// counts these.
func listed(what string, list []api.Failure) (text string, shown int) {
	text = what
	for i, f := range list {
		line := "\n" + fleet.Brief(f.String(), maxMessage-len(what)-len("\n… and 99 more"))
		if len(text)+len(line) > maxMessage {
			return text + fmt.Sprintf("\n… and %d more", len(list)-i), i
		}
		text += line
	}
	return text, len(list)
}

// failUnit returns the error of one cluster or link. Its details hold the Failure
// without its message, which is the error's own, so that nothing is stored twice.
func failUnit(typ string, f api.Failure) error {
	text := fleet.Brief(f.Message, maxMessage)
	f.Message = ""
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{[]api.Failure{fit(f, maxDetails)}}})
}

// fit shortens the list of a failure's left steps until the failure takes at most size
// bytes.
func fit(f api.Failure, size int) api.Failure {
	for n := len(f.Left); sizeOf(f) > size && n > 0; n-- {
		f.Left = append(slices.Clone(f.Left[:n-1]), "and more")
	}
	return f
}

// sizeOf estimates how many bytes a failure takes as details.
func sizeOf(f api.Failure) int {
	n := len(f.Unit.String()) + len(f.Step) + len(f.Type) + len(f.Message) + len(f.State) + 60
	for _, l := range f.Left {
		n += len(l) + 3
	}
	return n
}
