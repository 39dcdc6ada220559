package api

import "time"

// DecisionInput tells who decides something about a rollout or cleanup, and why. The name of the
// update tells what.
type DecisionInput struct {
	// Unit to retry or skip. The other updates leave it empty.
	Unit Unit `json:"unit,omitzero"`
	// Wave to approve. Empty: the one that waits.
	Wave string `json:"wave,omitempty"`
	// Keep has a cancel leave the steps that are open as they are.
	Keep   bool   `json:"keep,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// Decision tells what somebody decided about a rollout or cleanup, when and why.
type Decision struct {
	// What holds the name of the update: approve, pause, resume, retry, skip or cancel.
	What string    `json:"what"`
	At   time.Time `json:"at"`
	// Unit that was retried or skipped, or Wave that was approved.
	Unit Unit   `json:"unit,omitzero"`
	Wave string `json:"wave,omitempty"`
	// Keep says that a cancel left the steps that were open as they are.
	Keep   bool   `json:"keep,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// String returns one line for people: "skip link east -> west, by anna: firewall".
func (d Decision) String() string {
	s := d.What
	switch {
	case d.Wave != "":
		s += " wave " + d.Wave
	case d.Unit != Unit{}:
		s += " " + d.Unit.String()
	case d.Keep:
		s += " and keep"
	}
	s += ", by " + d.By
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}
