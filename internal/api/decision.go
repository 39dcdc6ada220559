package api

import "time"

// DecisionInput tells what somebody decides about a rollout, and why.
type DecisionInput struct {
	// Unit to retry or skip.
	Unit   Unit   `json:"unit,omitzero"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// Decision records a decision that was taken.
type Decision struct {
	// What is the name of the update: approve, pause, resume, retry or skip.
	What string    `json:"what"`
	At   time.Time `json:"at"`
	// Unit, or the Wave, that it is about.
	Unit   Unit   `json:"unit,omitzero"`
	Wave   string `json:"wave,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// String returns one line for people.
func (d Decision) String() string {
	s := d.What
	switch {
	case d.Wave != "":
		s += " wave " + d.Wave
	case d.Unit != Unit{}:
		s += " " + d.Unit.String()
	}
	s += ", by " + d.By
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}
