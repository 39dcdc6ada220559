package api

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/temporal"
)

// The types of errors that workflows end with. Each carries []Failure as details.
const (
	// TypePreflight: something stands in the way; nothing was changed.
	TypePreflight = "PreflightFailed"
	// TypeUnit: one cluster or link failed.
	TypeUnit = "UnitFailed"
	// TypePartly: some clusters or links failed, others are done.
	TypePartly = "PartlyDone"
	// TypeFailed: no cluster or link is done.
	TypeFailed = "RolloutFailed"
	// TypeLeftOver: a cleanup could not remove everything; the message lists the rest.
	TypeLeftOver = "LeftOver"
)

// Failure tells which unit failed, at which step and why.
type Failure struct {
	Unit Unit   `json:"unit"`
	Step string `json:"step,omitempty"`
	// Type is one of the activities' error types, or Canceled, Timeout or NoWorker.
	Type    string `json:"type"`
	Message string `json:"message"`
	// State says what became of the unit's changes: StateUndone, StateKept or StateLeft,
	// where Left names each step that left something, and why.
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
	case StateLeft:
		if len(f.Left) == 0 { // the message says it
			return s
		}
		s += " (left: " + strings.Join(f.Left, "; ") + ")"
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
