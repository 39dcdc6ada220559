package api

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/temporal"
)

// The types of errors that workflows end with. Each carries []Failure as details.
const (
	// TypePreflight means that a check before the rollout failed and nothing was changed.
	TypePreflight = "PreflightFailed"
	// TypeUnit means that one cluster or link failed.
	TypeUnit = "UnitFailed"
	// TypePartly means that some clusters or links failed and others are done.
	TypePartly = "PartlyDone"
	// TypeFailed means that no cluster or link is done.
	TypeFailed = "RolloutFailed"
	// TypeLeftOver means that a cleanup could not remove everything; the message lists
	// the rest.
	TypeLeftOver = "LeftOver"
)

// Failure tells which unit failed, at which step and why.
type Failure struct {
	Unit Unit   `json:"unit"`
	Step string `json:"step,omitempty"`
	// Type is one of the activities' error types, or Canceled, Timeout or NoWorker.
	Type    string `json:"type"`
	Message string `json:"message"`
	// State tells what became of the unit's changes: StateUndone, StateKept, StateLeft or
	// StateUpdated. With StateLeft, Left names each step that left something, and why;
	// with StateUpdated, it names the objects that stay as this run changed them.
	State string   `json:"state,omitempty"`
	Left  []string `json:"left,omitempty"`
}

// The values of Failure.State.
const (
	StateUndone  = "undone"
	StateKept    = "kept"
	StateLeft    = "left"
	StateUpdated = "updated"
)

// String returns one line for people: unit, step, message, and what became of the
// unit's changes.
func (f Failure) String() string {
	s := f.Unit.String()
	if f.Step != "" {
		s += ", step " + f.Step
	}
	s += ": " + f.Message
	switch f.State {
	case StateUndone:
		s += " (undone)"
	case StateKept:
		s += " (kept as it is for a retry)"
	case StateUpdated:
		s += " (what it created is undone; what it updated stays: " + strings.Join(f.Left, ", ") + ")"
	case StateLeft:
		if len(f.Left) == 0 { // the message says it
			return s
		}
		s += " (not removed: " + strings.Join(f.Left, "; ") + ")"
	}
	return s
}

// Failures reads the failures that a workflow's error carries. It returns none for any
// other error.
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
