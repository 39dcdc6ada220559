package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The types of errors that workflows end with. Each carries []Failure as details.
const (
	// TypePreflight: nothing was changed.
	TypePreflight = "PreflightFailed"
	// TypeUnit: one cluster or link failed.
	TypeUnit = "UnitFailed"
	// TypePartly: some clusters or links failed, others are done.
	TypePartly = "PartlyDone"
	// TypeFailed: no cluster or link is done.
	TypeFailed = "RolloutFailed"
	// TypeLeftOver: something is left that cleanup could not take away.
	TypeLeftOver = "LeftOver"
)

// The types of steps that ended at their limit: one that ran, and one that no
// worker took.
const (
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

// Failure is one cluster or link that failed, at which step and why.
type Failure struct {
	// Unit is "cluster west" or "link east -> west".
	Unit string `json:"unit"`
	Step string `json:"step,omitempty"`
	// Type is one of the activities' error types, or Canceled, Timeout or NoWorker.
	Type    string `json:"type"`
	Message string `json:"message"`
	// State is undone, kept, half undone (Left says what is left) or left.
	State string   `json:"state,omitempty"`
	Left  []string `json:"left,omitempty"`
}

// The values of Failure.State.
const (
	StateUndone = "undone"
	StateKept   = "kept"
	StateLeft   = "left"
)

// String is one line for people.
func (f Failure) String() string {
	s := f.Unit
	if f.Step != "" {
		s += ", step " + f.Step
	}
	s += ": " + f.Message
	switch f.State {
	case StateUndone:
		s += " (undone)"
	case StateKept:
		s += " (kept as it is for a retry)"
	case StateLeft:
		if len(f.Left) == 0 { // the message says it
			return s
		}
		s += " (left: " + strings.Join(f.Left, "; ") + ")"
	}
	return s
}

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
		return "Canceled", "canceled"
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
	return activities.TypeOther, err.Error()
}

// failureOf makes a Failure of what a cluster or link ended with.
func failureOf(unit string, err error) Failure {
	if list := Failures(err); len(list) == 1 {
		return list[0]
	}
	f := Failure{Unit: unit}
	f.Type, f.Message = describe(err)
	var s *stepError
	if errors.As(err, &s) {
		f.Step = s.step
	}
	return f
}

// Failures reads the failures that a workflow's error carries; none where it is
// another error.
func Failures(err error) []Failure {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.HasDetails() {
		return nil
	}
	var list []Failure
	if app.Details(&list) != nil {
		return nil
	}
	if len(list) == 1 && list[0].Message == "" {
		list[0].Message = app.Message()
	}
	return list
}

// fail is the one typed error that a rollout, a cleanup or a verification ends
// with: one line for each failure, as many as a failure has room for. The
// status tells all of them.
func fail(typ, what string, list []Failure) error {
	text, size, details := what, 0, []Failure{}
	for i, f := range list {
		line := "\n" + fleet.Brief(f.String(), maxMessage-len(what)-len("\n… and 99 more"))
		if len(text)+len(line) > maxMessage {
			text += fmt.Sprintf("\n… and %d more", len(list)-i)
			break
		}
		text += line
		f.Message = fleet.Brief(f.Message, maxDetails/4)
		if f = f.fit(maxDetails - size); size+f.size() <= maxDetails {
			size += f.size()
			details = append(details, f)
		}
	}
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{details}})
}

// failUnit is the error of one cluster or link. Its message and its details are
// the two halves of one Failure, so that nothing is told twice.
func failUnit(typ string, f Failure) error {
	text := fleet.Brief(f.Message, maxMessage)
	f.Message = ""
	return temporal.NewApplicationErrorWithOptions(text, typ, temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{[]Failure{f.fit(maxDetails)}}})
}

// fit leaves out of what is left as much as does not fit.
func (f Failure) fit(size int) Failure {
	for n := len(f.Left); f.size() > size && n > 0; n-- {
		f.Left = append(slices.Clone(f.Left[:n-1]), "and more")
	}
	return f
}

// size is about what the details of a failure take, in bytes.
func (f Failure) size() int {
	n := len(f.Unit) + len(f.Step) + len(f.Type) + len(f.Message) + len(f.State) + 60
	for _, l := range f.Left {
		n += len(l) + 3
	}
	return n
}
