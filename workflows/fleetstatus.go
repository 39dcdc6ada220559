package workflows

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
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

// maxListed keeps the answer to the status query far below what Temporal carries.
const maxListed = 200

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

// fleetStatus answers the status query of a fleet's workflow, and shows the
// same as its details in the Temporal UI.
type fleetStatus struct{ FleetStatus }

func newFleetStatus(ctx workflow.Context, in FleetInput) (*fleetStatus, error) {
	f := in.Fleet
	s := &fleetStatus{FleetStatus{Fleet: f.Metadata.Name, Phase: Pending, Began: workflow.Now(ctx), Request: in.Request}}
	s.clusters(f.Spec.Clusters)
	if len(f.Spec.Rollout.Waves) > 0 {
		for _, w := range f.Waves() {
			s.Waves = append(s.Waves, WaveState{w.Name, w.Clusters, Pending})
		}
	}
	at := map[string]int{}
	for _, l := range f.Links() {
		if _, ok := at[l.From]; !ok {
			at[l.From] = len(s.Sources)
			s.Sources = append(s.Sources, SourceState{UnitState: UnitState{Name: l.From, State: Pending}})
		}
		s.Sources[at[l.From]].Links++
	}
	return s, workflow.SetQueryHandler(ctx, StatusQuery, func() (FleetStatus, error) { return s.FleetStatus, nil })
}

func (s *fleetStatus) clusters(list []fleet.Cluster) {
	s.Clusters = nil
	for _, c := range list {
		s.Clusters = append(s.Clusters, UnitState{Name: c.Name, State: Pending})
	}
}

// fail is the error that the run ends with; the status keeps what it has no room for.
func (s *fleetStatus) fail(typ, what string, list []Failure) error {
	s.Failures, s.Failed = list[:min(len(list), maxListed)], len(list)
	return fail(typ, what, list)
}

func (s *fleetStatus) phase(ctx workflow.Context, phase string) {
	s.Phase = phase
	setPhase(ctx, phase)
	s.show(ctx)
}

func (s *fleetStatus) wave(n int, state string) {
	if n < len(s.Waves) {
		s.Waves[n].State = state
	}
}

func (s *fleetStatus) cluster(ctx workflow.Context, i int, state string, err error) {
	s.Clusters[i].State, s.Clusters[i].Message = state, ""
	if err != nil {
		s.Clusters[i].Message = failureOf("", err).Message
	}
	s.show(ctx)
}

// source says where the links of a source are, of which some more are done. Those
// of later waves are still to come.
func (s *fleetStatus) source(ctx workflow.Context, name, state string, done int, failures []Failure) {
	for i := range s.Sources {
		if s.Sources[i].Name != name {
			continue
		}
		s.Sources[i].State, s.Sources[i].Message = state, ""
		s.Sources[i].Done += done
		if state == Done && s.Sources[i].Done+s.Sources[i].Skipped < s.Sources[i].Links {
			s.Sources[i].State = Pending
		}
		if len(failures) > 0 {
			s.Sources[i].State = Failed
			s.Sources[i].Message = fmt.Sprintf("%d links failed; %s", len(failures), failures[0].Message)
		}
	}
	s.show(ctx)
}

func (s *fleetStatus) skip(l fleet.Link) {
	for i := range s.Sources {
		if s.Sources[i].Name == l.From {
			s.Sources[i].Skipped++
			if s.Sources[i].Skipped == s.Sources[i].Links {
				s.Sources[i].State = Skipped
			}
		}
	}
}

// held says what keeps it from going on.
func (s FleetStatus) held() string {
	switch {
	case s.Paused:
		return ", paused"
	case s.Phase == PhaseApproval:
		return " (wave " + s.WaitsFor + ")"
	}
	return ""
}

func (s *fleetStatus) show(ctx workflow.Context) {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**fleet %s: %s%s**\n\n| cluster | state | its links | |\n| --- | --- | --- | --- |\n", s.Fleet, s.Phase, s.held()))
	for _, c := range s.Clusters {
		links, msg := "", c.Message
		for _, src := range s.Sources {
			if src.Name == c.Name {
				links = fmt.Sprintf("%s (%d)", src.State, src.Links)
				if msg == "" {
					msg = src.Message
				}
			}
		}
		b.WriteString(fmt.Sprintf("| %s | %s | %s | %s |\n", c.Name, c.State, links, cell(msg)))
	}
	for _, d := range s.Decisions {
		b.WriteString(fmt.Sprintf("\n%s %s\n", d.At.UTC().Format(time.DateTime), cell(d.String())))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// linksStatus shows where the links of one source are.
type linksStatus struct {
	FleetStatus
	source string
}

func newLinksStatus(ctx workflow.Context, in LinksInput) (*linksStatus, error) {
	s := &linksStatus{FleetStatus{Fleet: in.Source.Fleet, Phase: "links", Began: workflow.Now(ctx)}, in.Source.Cluster}
	for _, t := range in.Targets {
		s.Clusters = append(s.Clusters, UnitState{Name: t.ClusterRef.Cluster, State: Pending})
	}
	return s, workflow.SetQueryHandler(ctx, StatusQuery, func() (FleetStatus, error) { return s.FleetStatus, nil })
}

func (s *linksStatus) finish(ctx workflow.Context, i int, err error) {
	msg := ""
	if err != nil {
		msg = failureOf("", err).Message
	}
	s.set(ctx, i, endState(err), msg)
}

func (s *linksStatus) set(ctx workflow.Context, i int, state, msg string) {
	s.Clusters[i].State, s.Clusters[i].Message = state, msg
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**links of %s**\n\n| to | state | |\n| --- | --- | --- |\n", s.source))
	for _, c := range s.Clusters {
		b.WriteString(fmt.Sprintf("| %s | %s | %s |\n", c.Name, c.State, cell(c.Message)))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

func endState(err error) string {
	if err != nil {
		return Failed
	}
	return Done
}

func endPhase(ctx workflow.Context, err error) string {
	switch {
	case err == nil:
		return Done
	case temporal.IsCanceledError(err) || ctx.Err() != nil:
		return "canceled"
	}
	return Failed
}

// fleetCall runs an activity that belongs to the fleet and not to one cluster's
// or link's compensation.
func fleetCall[I interface{ Ref() activities.ClusterRef }, R any](ctx workflow.Context, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error), in I, out *R) error {
	policy.TaskQueue, policy.Summary = in.Ref().TaskQueue, summary(name, in.Ref())
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, policy), do, in).Get(ctx, out); err != nil {
		return &stepError{name, err}
	}
	return nil
}
