package workflows

import (
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/activities"
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

// maxMessage in bytes keeps a failure with many causes below 2 KB.
const maxMessage = 1500

// Failure is one cluster or link that failed, at which step and why.
type Failure struct {
	// Unit is "cluster west" or "link east -> west".
	Unit string `json:"unit"`
	Step string `json:"step,omitempty"`
	// Type is one of the activities' error types, or Canceled or Timeout.
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
			return "Timeout", "no worker took it in time: is one running for its task queue, and with its kubeconfig?"
		}
		if timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_HEARTBEAT {
			return "Timeout", "the worker stopped in the middle of it"
		}
		return "Timeout", "it did not end within its limit"
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
	return list
}

// fail is the one typed error that a workflow ends with.
func fail(typ, what string, list []Failure) error {
	lines := []string{what}
	size := len(what)
	for i, f := range list {
		line := f.String()
		if size += len(line) + 1; size > maxMessage && i > 0 {
			lines = append(lines, fmt.Sprintf("… and %d more", len(list)-i))
			break
		}
		if len(line) > maxMessage {
			line = line[:maxMessage] + "…"
		}
		lines = append(lines, line)
	}
	return temporal.NewApplicationErrorWithOptions(strings.Join(lines, "\n"), typ,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{list}})
}
