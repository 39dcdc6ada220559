package workflows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// board shows the status of a run: as the answer to the status query, and as details in
// the Temporal UI.
type board struct {
	api.Status
	*units
	waves []fleet.Wave
	// title heads the details. Without one they are not shown.
	title string
	// draw writes the table of the details.
	draw func(*strings.Builder, api.Status)
}

// newFleetBoard shows a run of the whole fleet, with a row for each of its members.
func newFleetBoard(ctx workflow.Context, in api.FleetInput, u *units) (*board, error) {
	b := &board{Status: api.Status{Fleet: in.Fleet.Metadata.Name, Phase: string(api.Pending), Began: workflow.Now(ctx), Request: in.Request, Renews: in.Rotate.What()},
		units: u, title: "fleet " + in.Fleet.Metadata.Name, draw: drawMembers}
	return b, b.publish(ctx)
}

// newLinksBoard shows the links of one source.
func newLinksBoard(ctx workflow.Context, in api.LinksInput) (*board, error) {
	u := &units{by: map[api.Unit]*unit{}}
	for _, t := range in.Targets {
		u.add(api.LinkOf(fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster}))
	}
	b := &board{Status: api.Status{Fleet: in.Source.Fleet, Phase: "links", Began: workflow.Now(ctx)},
		units: u, title: "links of " + in.Source.Cluster, draw: drawUnits}
	return b, b.publish(ctx)
}

// newUnitBoard shows the steps of one unit. Without a title it is not shown.
func newUnitBoard(ctx workflow.Context, fleetName string, id api.Unit, title string) (*board, error) {
	u := &units{by: map[api.Unit]*unit{}}
	u.add(id).State = api.Running
	b := &board{Status: api.Status{Fleet: fleetName, Phase: "steps", Began: workflow.Now(ctx)}, units: u, title: title, draw: drawSteps}
	if title == "" {
		return b, nil
	}
	return b, b.publish(ctx)
}

// publish lets the workflow answer the status query.
func (b *board) publish(ctx workflow.Context) error {
	return workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.Status, error) { return b.now(), nil })
}

// now returns the status with its units and waves as they are.
func (b *board) now() api.Status {
	s := b.Status
	s.Units = make([]api.UnitState, 0, len(b.list))
	for _, u := range b.list {
		s.Units = append(s.Units, u.UnitState)
	}
	s.Waves = s.WavesOf(b.waves)
	return s
}

// phase sets what the run does now, in the status and as a search attribute.
func (b *board) phase(ctx workflow.Context, phase string) {
	b.Phase = phase
	setPhase(ctx, phase)
	b.show(ctx)
}

// fail returns the error that the run ends with. The status keeps the failures that the
// error has no room for.
func (b *board) fail(typ, what string, list []api.Failure) error {
	b.Failures, b.Failed = list[:min(len(list), api.MaxListed)], len(list)
	return fail(typ, what, list)
}

// maxRows limits the rows of a table, so that the details of a large fleet stay below
// the 20 KB that the UI shows.
const maxRows = 50

// show writes the details that the Temporal UI shows, as Markdown.
func (b *board) show(ctx workflow.Context) {
	if b.title == "" {
		return
	}
	var out strings.Builder
	s := b.now()
	out.WriteString(fmt.Sprintf("**%s: %s%s**\n\n", b.title, s.Phase, hold(s)))
	b.draw(&out, s)
	for _, d := range s.Decisions {
		out.WriteString(fmt.Sprintf("\n%s %s\n", d.At.UTC().Format(time.DateTime), fleet.Cell(d.String(), maxCell)))
	}
	workflow.SetCurrentDetails(ctx, out.String())
}

// hold returns what a run waits for before it goes on, or nothing.
func hold(s api.Status) string {
	switch {
	case s.Paused:
		return ", paused"
	case s.Phase == api.PhaseApproval: // not while something is retried meanwhile
		return " (wave " + s.WaitsFor + ")"
	}
	return ""
}

// maxCell limits a message in a table, in bytes.
const maxCell = 300

// drawMembers writes a row for the root and for each member, with the count of the
// links that begin there.
func drawMembers(out *strings.Builder, s api.Status) {
	out.WriteString("| unit | state | its links | |\n| --- | --- | --- | --- |\n")
	var rows []api.UnitState
	for _, u := range s.Units {
		if _, link := u.Unit.Link(); !link {
			rows = append(rows, u)
		}
	}
	bySource := s.LinksBySource()
	drawRows(out, rows, func(u api.UnitState) string {
		name, _ := u.Unit.Member()
		links, msg := bySource[name], u.Message
		count := ""
		if n := links.Total(); n > 0 {
			count = fmt.Sprintf("%d of %d done", links.Tally[api.Done], n)
		}
		if failed := links.Failed(); failed > 0 {
			count += fmt.Sprintf(", %d failed", failed)
			msg = cmp.Or(msg, links.Message)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |\n", u.Unit, u.State, count, fleet.Cell(msg, maxCell))
	})
}

// drawUnits writes a row for each unit.
func drawUnits(out *strings.Builder, s api.Status) {
	out.WriteString("| unit | state | |\n| --- | --- | --- |\n")
	drawRows(out, slices.Clone(s.Units), func(u api.UnitState) string {
		return fmt.Sprintf("| %s | %s | %s |\n", u.Unit, u.State, fleet.Cell(u.Message, maxCell))
	})
}

// drawRows writes the rows that fit: what failed and what runs first.
func drawRows(out *strings.Builder, rows []api.UnitState, row func(api.UnitState) string) {
	if len(rows) > maxRows {
		slices.SortStableFunc(rows, func(a, b api.UnitState) int {
			return slices.Index(api.States, a.State) - slices.Index(api.States, b.State)
		})
	}
	for _, u := range rows[:min(len(rows), maxRows)] {
		out.WriteString(row(u))
	}
	if more := len(rows) - maxRows; more > 0 {
		out.WriteString(fmt.Sprintf("\nand %d more\n", more))
	}
}

// drawSteps writes a row for each step that began.
func drawSteps(out *strings.Builder, s api.Status) {
	out.WriteString("| step | state | took | |\n| --- | --- | --- | --- |\n")
	for _, st := range s.Units[0].Steps {
		took := ""
		if st.State != api.Running {
			took = st.Took.Round(time.Millisecond * 10).String()
		}
		out.WriteString(fmt.Sprintf("| %s | %s | %s | %s |\n", st.Step, st.State, took, fleet.Cell(st.Message, maxCell)))
	}
}

// endPhase returns the phase of a run that ended with err: done, canceled or failed.
func endPhase(ctx workflow.Context, err error) string {
	switch {
	case err == nil:
		return string(api.Done)
	case temporal.IsCanceledError(err) || ctx.Err() != nil:
		return "canceled"
	}
	return string(api.Failed)
}

// setPhase writes the phase as a search attribute, by which people find runs.
func setPhase(ctx workflow.Context, phase string) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, api.PhaseKey.ValueSet(phase)); err != nil {
		workflow.GetLogger(ctx).Warn("cannot set the phase", "phase", phase, "error", err)
	}
}

// attributes returns the search attributes with which a child starts.
func attributes(keys ...temporal.SearchAttributeUpdate) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(keys...)
}

// fleetCall runs an activity that is no step of a unit: a check, or the release of a
// lock.
func fleetCall[I located, R any](ctx workflow.Context, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error), in I) (R, error) {
	policy.Summary = summary(name, in.Ref())
	return titled(ctx, policy, name, do, in)
}

// temporalCall runs an activity that asks Temporal about the fleet, or tells it something.
func temporalCall[I located, R any](ctx workflow.Context, name string, do func(context.Context, I) (R, error), in I) (R, error) {
	policy := askTemporal()
	policy.Summary = name
	return titled(ctx, policy, name, do, in)
}

// titled runs an activity on its input's task queue. The policy has its title.
func titled[I located, R any](ctx workflow.Context, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error), in I) (R, error) {
	policy.TaskQueue = in.Ref().TaskQueue
	var out R
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, policy), do, in).Get(ctx, &out); err != nil {
		return out, &stepError{api.StepWords(name), err}
	}
	return out, nil
}
