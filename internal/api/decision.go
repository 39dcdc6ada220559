package api

import "time"

// DecisionInput is what somebody decides about a rollout, and why.
type DecisionInput struct {
	// Unit is "cluster west" or "link east -> west", for retry and skip.
	Unit   string `json:"unit,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// Decision is a decision that was taken.
type Decision struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
	// Unit is the cluster or link, or the wave, that it is about.
	Unit   string `json:"unit,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// String is one line for people.
func (d Decision) String() string {
	s := d.What
	if d.Unit != "" {
		s += " " + d.Unit
	}
	s += ", by " + d.By
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}
