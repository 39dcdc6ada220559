package workflows

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// maxListed keeps the answer to the status query far below what Temporal carries.
const maxListed = 200

// fleetStatus answers the status query of a fleet's workflow, and shows the
// same as its details in the Temporal UI.
type fleetStatus struct{ api.FleetStatus }

func newFleetStatus(ctx workflow.Context, in api.FleetInput) (*fleetStatus, error) {
	f := in.Fleet
	s := &fleetStatus{api.FleetStatus{Fleet: f.Metadata.Name, Phase: api.Pending, Began: workflow.Now(ctx), Request: in.Request}}
	s.clusters(f.Spec.Clusters)
	if len(f.Spec.Rollout.Waves) > 0 {
		for _, w := range f.Waves() {
			s.Waves = append(s.Waves, api.WaveState{Name: w.Name, Clusters: w.Clusters, State: api.Pending})
		}
	}
	at := map[string]int{}
	for _, l := range f.Links() {
		if _, ok := at[l.From]; !ok {
			at[l.From] = len(s.Sources)
			s.Sources = append(s.Sources, api.SourceState{UnitState: api.UnitState{Name: l.From, State: api.Pending}})
		}
		s.Sources[at[l.From]].Links++
	}
	return s, workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.FleetStatus, error) { return s.FleetStatus, nil })
}

func (s *fleetStatus) clusters(list []fleet.Cluster) {
	s.Clusters = nil
	for _, c := range list {
		s.Clusters = append(s.Clusters, api.UnitState{Name: c.Name, State: api.Pending})
	}
}

// fail is the error that the run ends with; the status keeps what it has no room for.
func (s *fleetStatus) fail(typ, what string, list []api.Failure) error {
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
func (s *fleetStatus) source(ctx workflow.Context, name, state string, done int, failures []api.Failure) {
	for i := range s.Sources {
		if s.Sources[i].Name != name {
			continue
		}
		s.Sources[i].State, s.Sources[i].Message = state, ""
		s.Sources[i].Done += done
		if state == api.Done && s.Sources[i].Done+s.Sources[i].Skipped < s.Sources[i].Links {
			s.Sources[i].State = api.Pending
		}
		if len(failures) > 0 {
			s.Sources[i].State = api.Failed
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
				s.Sources[i].State = api.Skipped
			}
		}
	}
}

// held says what keeps it from going on.
func held(s api.FleetStatus) string {
	switch {
	case s.Paused:
		return ", paused"
	case s.Phase == api.PhaseApproval:
		return " (wave " + s.WaitsFor + ")"
	}
	return ""
}

func (s *fleetStatus) show(ctx workflow.Context) {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**fleet %s: %s%s**\n\n| cluster | state | its links | |\n| --- | --- | --- | --- |\n", s.Fleet, s.Phase, held(s.FleetStatus)))
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
	api.FleetStatus
	source string
}

func newLinksStatus(ctx workflow.Context, in api.LinksInput) (*linksStatus, error) {
	s := &linksStatus{api.FleetStatus{Fleet: in.Source.Fleet, Phase: "links", Began: workflow.Now(ctx)}, in.Source.Cluster}
	for _, t := range in.Targets {
		s.Clusters = append(s.Clusters, api.UnitState{Name: t.ClusterRef.Cluster, State: api.Pending})
	}
	return s, workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.FleetStatus, error) { return s.FleetStatus, nil })
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
		return api.Failed
	}
	return api.Done
}

func endPhase(ctx workflow.Context, err error) string {
	switch {
	case err == nil:
		return api.Done
	case temporal.IsCanceledError(err) || ctx.Err() != nil:
		return "canceled"
	}
	return api.Failed
}

// fleetCall runs an activity that belongs to the fleet and not to one cluster's
// or link's compensation.
func fleetCall[I interface{ Ref() api.ClusterRef }, R any](ctx workflow.Context, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error), in I, out *R) error {
	policy.TaskQueue, policy.Summary = in.Ref().TaskQueue, summary(name, in.Ref())
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, policy), do, in).Get(ctx, out); err != nil {
		return &stepError{name, err}
	}
	return nil
}
