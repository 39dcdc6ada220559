package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// State tells where a unit, a step or a wave is.
type State string

// The states. A unit moves from one to the next as CanBecome allows.
const (
	// Pending units have not begun: their turn has not come, or they are to be retried.
	Pending State = "pending"
	// Waiting units belong to the wave that waits for its approval.
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	// Failed units kept something: onFailure is keep, or not all could be undone.
	Failed State = "failed"
	// Undone units failed, and are what they were before this run.
	Undone State = "undone"
	// Skipped units were left out by somebody's decision, or since others failed.
	Skipped State = "skipped"
)

// States lists every state in the order in which people want to see units.
var States = []State{Failed, Undone, Running, Waiting, Pending, Skipped, Done}

// moves are the transitions that a unit may make.
var moves = map[State][]State{
	Pending: {Waiting, Running, Skipped},
	Waiting: {Pending, Skipped},
	Running: {Done, Failed, Undone},
	Failed:  {Pending, Skipped},
	Undone:  {Pending, Skipped},
}

// CanBecome says whether a unit in this state may move to the other one.
func (s State) CanBecome(next State) bool { return slices.Contains(moves[s], next) }

// IsFailure says whether the unit failed, whatever became of its changes.
func (s State) IsFailure() bool { return s == Failed || s == Undone }

// Status answers the status query of every workflow: of a fleet's with all units, of
// one source's links with these links, and of one unit's with its steps.
type Status struct {
	Fleet string    `json:"fleet"`
	Phase string    `json:"phase"`
	Began time.Time `json:"began"`
	fleet.Request
	Units []UnitState `json:"units"`
	// Waves are there where the fleet file has some.
	Waves []WaveState `json:"waves,omitempty"`
	// Paused is true from `landbridge pause` to `landbridge resume`. WaitsFor names the
	// wave that waits for its approval.
	Paused   bool   `json:"paused,omitempty"`
	WaitsFor string `json:"waitsFor,omitempty"`
	// Decisions tell who steered the run, when and why.
	Decisions []Decision `json:"decisions,omitempty"`
	// Failures are the first MaxListed of Failed failures that a run ended with: the
	// error itself has room for a few.
	Failures []Failure `json:"failures,omitempty"`
	Failed   int       `json:"failed,omitempty"`
}

// MaxListed bounds Status.Failures, so that an answer stays far below what Temporal
// carries.
const MaxListed = 200

// PhaseApproval is the phase of a rollout whose next wave waits for its approval.
const PhaseApproval = "waiting for approval"

// UnitState tells where one unit is.
type UnitState struct {
	Unit  Unit  `json:"unit"`
	State State `json:"state"`
	// Wave that the unit belongs to; a link belongs to the later one of its ends'.
	Wave string `json:"wave,omitempty"`
	// Removal marks a unit that left the fleet file and is being removed.
	Removal bool   `json:"removal,omitempty"`
	Message string `json:"message,omitempty"`
	// Steps are those that began so far. Only the unit's own workflow knows them.
	Steps []StepState `json:"steps,omitempty"`
}

// StepState tells where one step is.
type StepState struct {
	Step  string    `json:"step"`
	State State     `json:"state"`
	Began time.Time `json:"began"`
	// Took is how long it took, in nanoseconds; 0 while it runs.
	Took    time.Duration `json:"took,omitempty"`
	Message string        `json:"message,omitempty"`
}

// WaveState tells where one wave is. It follows from the wave's units.
type WaveState struct {
	Name     string `json:"name"`
	Clusters int    `json:"clusters"`
	State    State  `json:"state"`
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
	for _, c := range t {
		n += c
	}
	return n
}

// State sums the units up in one state: what runs comes first, then what failed, what
// waits and what is still to come; it is skipped where all were, and else done.
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

// LinksOf tallies the links that begin at a cluster.
func (s Status) LinksOf(source string) Tally {
	return s.Count(func(u UnitState) bool {
		l, ok := u.Unit.Link()
		return ok && l.From == source
	})
}

// WavesOf returns where each wave is, from the states of its units.
func (s Status) WavesOf(waves []fleet.Wave) []WaveState {
	var out []WaveState
	for _, w := range waves {
		t := s.Count(func(u UnitState) bool { return u.Wave == w.Name && !u.Removal })
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
