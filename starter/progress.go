package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// progress tells how far a rollout or cleanup is, and what each of its units does now.
type progress struct {
	api.Status
	Units []unitProgress `json:"units"`
}

// unitProgress tells how far one unit is, and what it does now.
type unitProgress struct {
	api.UnitState
	// Step that runs, or several beside each other, when the first began, what it waits for, the
	// number of its attempt, and the error of the attempt before.
	Step      string     `json:"step,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	WaitsFor  string     `json:"waitsFor,omitempty"`
	Attempt   int32      `json:"attempt,omitempty"`
	LastError string     `json:"lastError,omitempty"`
}

// lookups limits how many requests are sent to Temporal at once.
const lookups = 8

// readProgress asks a fleet's workflow, and those of its units that run, how far they
// are. It fails where no worker answers.
func readProgress(ctx context.Context, c client.Client, id, runID string) (progress, error) {
	var p progress
	if err := runs.Status(ctx, c, id, runID, &p.Status); err != nil {
		return p, err
	}
	for _, u := range p.Status.Units {
		p.Units = append(p.Units, unitProgress{UnitState: u})
	}
	p.readLinks(ctx, c, id)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	sources := map[string]bool{}
	for i := range p.Units {
		u := &p.Units[i]
		if u.State != api.Running {
			continue
		}
		workflow := u.Unit.WorkflowID(id)
		if link, ok := u.Unit.Link(); ok {
			if sources[link.From] { // the first that runs stands for its source's links
				continue
			}
			sources[link.From] = true
		}
		if name, ok := u.Unit.Member(); ok && p.Phase == "links" {
			workflow = api.LinksWorkflowID(id, name) // a cleanup has one for each member
		}
		group.Go(func() error { u.readStep(ctx, c, workflow, p.Began); return nil })
	}
	return p, group.Wait()
}

// readLinks asks the workflows that roll out the links of one source, which know each
// link's state before the fleet's workflow does.
func (p *progress) readLinks(ctx context.Context, c client.Client, id string) {
	at := map[api.Unit]int{}
	sources := []string{}
	for i, u := range p.Units {
		at[u.Unit] = i
		if l, ok := u.Unit.Link(); ok && u.State == api.Running && (len(sources) == 0 || sources[len(sources)-1] != l.From) {
			sources = append(sources, l.From)
		}
	}
	answers := make([]api.Status, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for n, source := range sources {
		group.Go(func() error {
			_ = runs.Status(ctx, c, api.LinksWorkflowID(id, source), "", &answers[n]) // where it fails, the state that the fleet's workflow told stays
			return nil
		})
	}
	_ = group.Wait()
	for _, s := range answers {
		if s.Began.Before(p.Began) { // of an earlier run
			continue
		}
		for _, u := range s.Units {
			if i, ok := at[u.Unit]; ok && p.Units[i].State == api.Running {
				p.Units[i].State, p.Units[i].Message = u.State, u.Message
			}
		}
	}
}

// readStep reads which steps a unit is at, and what they wait for. Where its workflow began
// before the run and is over, it is that of an earlier run, and this one does without; one that
// goes on is waited for.
func (u *unitProgress) readStep(ctx context.Context, c client.Client, id string, began time.Time) {
	var s api.Status
	if runs.Status(ctx, c, id, "", &s) != nil || len(s.Units) != 1 || len(s.Units[0].Steps) == 0 {
		return
	}
	now := underWay(s.Units[0].Steps)
	if s.Began.Before(began) && now[0].State != api.Running {
		return
	}
	u.Step = stepWords(now)
	if now[0].State != api.Running {
		return
	}
	u.Since = &now[0].Began
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil || len(d.GetPendingActivities()) == 0 {
		return
	}
	u.readWait(slices.MaxFunc(d.GetPendingActivities(), moreTelling))
}

// underWay returns the steps that run, or the last one where none does.
func underWay(steps []api.StepState) []api.StepState {
	now := slices.DeleteFunc(slices.Clone(steps), func(s api.StepState) bool { return s.State != api.Running })
	if len(now) == 0 {
		return steps[len(steps)-1:]
	}
	return now
}

// stepWords names steps without the guide's numbers.
func stepWords(steps []api.StepState) string {
	var words []string
	for _, s := range steps {
		words = append(words, api.StepWords(s.Step))
	}
	return strings.Join(words, ", ")
}

// moreTelling compares two steps that run: what was tried more often tells more, and then what
// says how far it is.
func moreTelling(a, b *workflowpb.PendingActivityInfo) int {
	return cmp.Or(cmp.Compare(a.GetAttempt(), b.GetAttempt()),
		cmp.Compare(len(a.GetHeartbeatDetails().GetPayloads()), len(b.GetHeartbeatDetails().GetPayloads())))
}

// readWait reads from a step that runs what it waits for, and how often it was tried.
func (u *unitProgress) readWait(p *workflowpb.PendingActivityInfo) {
	if hb := p.GetHeartbeatDetails().GetPayloads(); len(hb) > 0 {
		_ = runs.Decode(hb[0], &u.WaitsFor)
	}
	if u.Attempt = p.GetAttempt(); u.Attempt > 1 {
		u.LastError = p.GetLastFailure().GetMessage()
	}
	// A wait that takes turns has not failed.
	if f := p.GetLastFailure(); f.GetApplicationFailureInfo().GetType() == api.TypeNotReady {
		u.LastError, u.WaitsFor = "", cmp.Or(u.WaitsFor, f.GetMessage())
	}
	switch {
	case p.GetPaused():
		u.WaitsFor = pausedInTemporal(p.GetPauseInfo())
	case p.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED && u.Attempt <= 1 && u.WaitsFor == "":
		u.WaitsFor = "no worker has taken the step yet"
	}
}

// pausedInTemporal tells who paused a step by Temporal's own means, and why. Landbridge's
// pause holds the next step; this one holds the step itself, while its limit runs on.
func pausedInTemporal(i *workflowpb.PendingActivityInfo_PauseInfo) string {
	by := cmp.Or(i.GetManual().GetIdentity(), "the rule "+i.GetRule().GetRuleId())
	out := fmt.Sprintf("paused in Temporal by %s since %s", by, i.GetPauseTime().AsTime().Local().Format(time.TimeOnly))
	if why := cmp.Or(i.GetManual().GetReason(), i.GetRule().GetReason()); why != "" {
		out += ": " + why
	}
	return out + "; unpause the activity there, its limit runs on"
}

// row holds a line for people: the root, a member, or the links of one source together.
type row struct {
	unitProgress
	name string
	// links counts the links of one source. It is nil for the root and a member.
	links api.Tally
}

// rows lists the units for people, in the fleet's order.
func (p progress) rows() []row {
	var out []row
	bySource := map[string]int{}
	for _, u := range p.Units {
		link, ok := u.Unit.Link()
		if !ok || u.Removal {
			name := u.Unit.String()
			if u.Removal {
				name = "remove " + name
			}
			out = append(out, row{unitProgress: u, name: name})
			continue
		}
		i, seen := bySource[link.From]
		if !seen {
			i = len(out)
			bySource[link.From] = i
			out = append(out, row{name: "links of " + link.From, links: api.Tally{}, unitProgress: unitProgress{UnitState: api.UnitState{Wave: u.Wave}}})
		}
		out[i].add(link, u)
	}
	return out
}

// add notes what one link of a source does, or how it failed. The first that runs is
// the one that is shown.
func (r *row) add(link fleet.Link, u unitProgress) {
	r.links[u.State]++
	r.State = r.links.State()
	switch {
	case u.State.IsFailure() && r.Message == "":
		r.Message = u.Message
	case u.State == api.Running && u.Step != "" && r.Step == "":
		r.Step, r.Since, r.WaitsFor, r.Attempt, r.LastError = "to "+link.To+": "+u.Step, u.Since, u.WaitsFor, u.Attempt, u.LastError
	}
	if r.Wave != u.Wave {
		r.Wave = "" // they belong to several
	}
}

// doing tells in one line what the units of a row do now.
func (r row) doing() string {
	var parts []string
	if r.links != nil && r.State != api.Done && r.State != api.Pending && r.State != api.Waiting && r.State != api.Skipped {
		parts = append(parts, fmt.Sprintf("%d of %d done", r.links[api.Done], r.links.Total()))
		if failed := r.links.Failed(); failed > 0 {
			parts = append(parts, fmt.Sprintf("%d failed", failed))
		}
	}
	if r.Step != "" {
		parts = append(parts, r.Step)
	}
	out := strings.Join(parts, ", ")
	if r.WaitsFor != "" {
		out += ": " + r.unnamed(r.WaitsFor)
	}
	if r.LastError != "" {
		out += fmt.Sprintf(" (try %d; the last one failed: %s)", r.Attempt, r.unnamed(r.LastError))
	}
	if r.Message != "" {
		out = strings.TrimPrefix(out+": "+r.unnamed(r.Message), ": ")
	}
	return out
}

// unnamed writes a message on one line, without the row's own name before it.
func (r row) unnamed(message string) string {
	return strings.TrimPrefix(oneLine(message), r.name+": ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
