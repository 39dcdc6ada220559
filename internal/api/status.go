package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// FleetStatus is where a rollout or cleanup is.
type FleetStatus struct {
	Fleet string    `json:"fleet"`
	Phase string    `json:"phase"`
	Began time.Time `json:"began"`
	fleet.Request
	Clusters []UnitState   `json:"clusters"`
	Sources  []SourceState `json:"sources,omitempty"`
	// Waves are there where the fleet file has some.
	Waves []WaveState `json:"waves,omitempty"`
	// Paused is what somebody did; WaitsFor is the wave whose approval is waited for.
	Paused   bool   `json:"paused,omitempty"`
	WaitsFor string `json:"waitsFor,omitempty"`
	// Decisions are who steered it, when and why.
	Decisions []Decision `json:"decisions,omitempty"`
	// Failures are what a run ended with, the first maxListed of Failed: the error
	// itself has room for a few.
	Failures []Failure `json:"failures,omitempty"`
	Failed   int       `json:"failed,omitempty"`
}

// PhaseApproval is the phase of a rollout whose next wave waits for its approval.
const PhaseApproval = "waiting for approval"

// WaveState is where one wave is.
type WaveState struct {
	Name     string   `json:"name"`
	Clusters []string `json:"clusters"`
	State    string   `json:"state"`
}

// UnitState is where one cluster or link is.
type UnitState struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Message string `json:"message,omitempty"`
}

// SourceState is where the links of one source are.
type SourceState struct {
	UnitState
	// Links is how many there are, Done how many of them are done, Skipped how many
	// were left out.
	Links   int `json:"links"`
	Done    int `json:"done,omitempty"`
	Skipped int `json:"skipped,omitempty"`
}

// The states of a cluster, link or step.
const (
	Pending = "pending"
	Running = "running"
	Done    = "done"
	Failed  = "failed"
	Skipped = "skipped"
)

// UnitStatus is where one cluster or link is.
type UnitStatus struct {
	Unit  string       `json:"unit"`
	Steps []StepStatus `json:"steps"`
}

// StepStatus is where one step is.
type StepStatus struct {
	Step  string    `json:"step"`
	State string    `json:"state"`
	Began time.Time `json:"began"`
	// Took is how long it took, 0 while it runs.
	Took    time.Duration `json:"took,omitempty"`
	Message string        `json:"message,omitempty"`
}
