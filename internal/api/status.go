package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// State tells how far a unit, a step or a wave is.
type State string

// The states. A unit moves from one to the next as CanBecome allows.
const (
	// Pending means that the unit has not begun: its turn has not come, or it is retried.
	Pending State = "pending"
	// Waiting means that the unit belongs to the wave that waits for its approval.
	Waiting State = "waiting"
	// Running means that the unit's workflow is at work.
	Running State = "running"
	// Done means that every step of the unit succeeded.
	Done State = "done"
	// Failed means that the unit failed and kept some of its changes: onFailure is keep,
	// or not all of them could be undone.
	Failed State = "failed"
	// Undone means that the unit failed and is as it was before this run.
	Undone State = "undone"
	// Skipped means that somebody decided to leave the unit out, or that another failed.
	Skipped State = "skipped"
)

// States lists every state in the order in which people want to see units.
var States = []State{Failed, Undone, Running, Waiting, Pending, Skipped, Done}

// moves lists the transitions that a unit may make.
var moves = map[State][]State{
	Pending: {Waiting, Running, Skipped},
	Waiting: {Pending, Skipped},
	Running: {Done, Failed, Undone},
	Done:    {Failed}, // a member whose wave's proof fails
	Failed:  {Pending, Skipped},
	Undone:  {Pending, Skipped},
}

// CanBecome tells whether a unit in this state may move to the other one.
func (s State) CanBecome(next State) bool { return slices.Contains(moves[s], next) }

// IsFailure tells whether the unit failed, whatever became of its changes.
func (s State) IsFailure() bool { return s == Failed || s == Undone }

// Status answers the status query. That of a fleet's workflow has all units, that of a
// source's links has these links, and that of one unit has its steps.
type Status struct {
	Fleet string `json:"fleet"`
	// Phase names what the run does now, such as "clusters", or how it ended.
	Phase string    `json:"phase"`
	Began time.Time `json:"began,omitzero"`
	fleet.Request
	// Renews tells what a rotation renews: RenewsTokens, RenewsIntermediates, RenewsRoot or RenewsRootUndo.
	Renews string      `json:"renews,omitempty"`
	Units  []UnitState `json:"units"`
	// Waves is empty where the fleet file has none.
	Waves []WaveState `json:"waves,omitempty"`
	// Paused is true from `landbridge pause` to `landbridge resume`. WaitsFor names the
	// wave that waits for its approval.
	Paused   bool   `json:"paused,omitempty"`
	WaitsFor string `json:"waitsFor,omitempty"`
	// Decisions tell who steered the run, when and why.
	Decisions []Decision `json:"decisions,omitempty"`
	// Failures holds the first MaxListed failures that the run ended with; its error has
	// room for a few only. Failed counts all of them.
	Failures []Failure `json:"failures,omitempty"`
	Failed   int       `json:"failed,omitempty"`
}

// MaxListed limits Status.Failures, so that an answer stays far below the 2 MiB that
// Temporal carries.
const MaxListed = 200

// PhaseApproval names the phase of a rollout or cleanup whose next wave waits for its approval.
const PhaseApproval = "waiting for approval"

// UnitState tells how far one unit is.
type UnitState struct {
	Unit  Unit  `json:"unit"`
	State State `json:"state"`
	// Wave that the unit belongs to. A link belongs to the later one of its clusters'
	// waves.
	Wave string `json:"wave,omitempty"`
	// Removal marks a unit that left the fleet file and is being removed.
	Removal bool   `json:"removal,omitempty"`
	Message string `json:"message,omitempty"`
	// Istio is the version of Istio that a member's control plane runs, as far as the run
	// has seen.
	Istio string `json:"istio,omitempty"`
	// Steps lists those that began so far. Only the unit's own workflow knows them.
	Steps []StepState `json:"steps,omitempty"`
}

// StepState tells how far one step is.
type StepState struct {
	Step  string    `json:"step"`
	State State     `json:"state"`
	Began time.Time `json:"began,omitzero"`
	// Took holds how long the step took, in nanoseconds; 0 while it runs.
	Took    time.Duration `json:"took,omitempty"`
	Message string        `json:"message,omitempty"`
}

// WaveState tells how far one wave is. It follows from the states of the wave's units.
type WaveState struct {
	Name string `json:"name"`
	// Clusters counts the members of the wave.
	Clusters int   `json:"clusters"`
	State    State `json:"state"`
}

// Tally counts units by state.
type Tally map[State]int

// Count tallies the units that keep accepts; nil accepts all.
func (s Status) Count(keep func(UnitState) bool) Tally {
	t := Tally{}
	for _, u := range s.Units {
		if keep == nil || keep(u) {
			t[u.State]++
		}
	}
	return t
}

// Total returns how many units were counted.
func (t Tally) Total() (n int) {
	for _, s := range States { // a workflow ranges over no map
		n += t[s]
	}
	return n
}

// Failed returns how many units failed, whatever became of their changes.
func (t Tally) Failed() int { return t[Failed] + t[Undone] }

// State sums the units up in one state. Running comes before Failed, and that before
// Waiting. Without any of these it is Pending where none began, Running where some are
// pending, Skipped where all were skipped, and else Done.
func (t Tally) State() State {
	for _, s := range []State{Running, Failed, Undone, Waiting} {
		if t[s] > 0 {
			if s == Undone {
				return Failed
			}
			return s
		}
	}
	switch {
	case t[Pending] == t.Total():
		return Pending
	case t[Pending] > 0:
		return Running
	case t[Skipped] == t.Total():
		return Skipped
	}
	return Done
}

// SourceLinks sums up the links that begin at one cluster. Message tells how the first
// one failed that did.
type SourceLinks struct {
	Tally
	Message string
}

// LinksBySource sums up the links by the cluster that they begin at, in one pass: a mesh
// of N clusters has N squared of them.
func (s Status) LinksBySource() map[string]SourceLinks {
	out := map[string]SourceLinks{}
	for _, u := range s.Units {
		l, ok := u.Unit.Link()
		if !ok {
			continue
		}
		sum := out[l.From]
		if sum.Tally == nil {
			sum.Tally = Tally{}
		}
		sum.Tally[u.State]++
		if u.State.IsFailure() && sum.Message == "" {
			sum.Message = u.Message
		}
		out[l.From] = sum
	}
	return out
}

// WavesOf returns the state of each wave, from the states of its units.
func (s Status) WavesOf(waves []fleet.Wave) []WaveState {
	var out []WaveState
	for _, w := range waves {
		t := s.Count(func(u UnitState) bool { return u.Wave == w.Name })
		out = append(out, WaveState{Name: w.Name, Clusters: len(w.Clusters), State: t.State()})
	}
	return out
}

// StepWords returns a step without its number in the guide: "namespaces" for
// "4 namespaces". Numbers are for the Temporal UI and reports, where the guide's reader
// looks.
func StepWords(step string) string {
	number, words, ok := strings.Cut(step, " ")
	if _, err := strconv.Atoi(number); !ok || err != nil {
		return step
	}
	return words
}
