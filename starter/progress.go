package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/landbridge/landbridge/internal/api"
)

// progress is where a rollout or cleanup is, with what each of its clusters and
// sources of links does just now.
type progress struct {
	api.FleetStatus
	Units []unitProgress `json:"units,omitempty"`
}

// unitProgress is a cluster, or the links of one source, as it is.
type unitProgress struct {
	Unit  string `json:"unit"`
	State string `json:"state"`
	// Done of Links, where these are links.
	Links int `json:"links,omitempty"`
	Done  int `json:"done,omitempty"`
	// Step that runs, since when, what it waits for, its attempt and how the last
	// one ended. Of links it is the first that runs.
	Step      string     `json:"step,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	WaitsFor  string     `json:"waitsFor,omitempty"`
	Attempt   int32      `json:"attempt,omitempty"`
	LastError string     `json:"lastError,omitempty"`
	// Message is how it failed.
	Message string `json:"message,omitempty"`
}

// lookups is how many questions are asked of Temporal at once.
const lookups = 8

// readProgress asks a fleet's workflow, and those of its clusters and links that
// run, where they are. It fails where no worker answers just now.
func readProgress(ctx context.Context, c client.Client, id, runID string) (progress, error) {
	var p progress
	if err := query(ctx, c, id, runID, &p.FleetStatus); err != nil {
		return p, err
	}
	for _, cl := range p.Clusters {
		p.Units = append(p.Units, unitProgress{Unit: "cluster " + cl.Name, State: cl.State, Message: cl.Message})
	}
	for _, s := range p.Sources {
		p.Units = append(p.Units, unitProgress{Unit: "links of " + s.Name, State: s.State, Links: s.Links, Done: s.Done, Message: s.Message})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for i := range p.Units {
		u := &p.Units[i]
		if u.State != api.Running {
			continue
		}
		if name, ok := strings.CutPrefix(u.Unit, "cluster "); ok {
			group.Go(func() error { u.readStep(ctx, c, id+".cluster."+name); return nil })
		} else {
			group.Go(func() error { u.readLinks(ctx, c, id+".links."+strings.TrimPrefix(u.Unit, "links of ")); return nil })
		}
	}
	return p, group.Wait()
}

// readLinks counts a source's links, and looks at the first that runs.
func (u *unitProgress) readLinks(ctx context.Context, c client.Client, id string) {
	var s api.FleetStatus
	if query(ctx, c, id, "", &s) != nil {
		return
	}
	failed := 0
	for _, to := range s.Clusters {
		switch to.State {
		case api.Done:
			u.Done++
		case api.Failed:
			failed++
			u.Message = to.Message
		case api.Running:
			if u.Step == "" {
				u.readStep(ctx, c, id+"."+to.Name)
				u.Step = "to " + to.Name + ": " + u.Step
			}
		}
	}
	if failed > 0 {
		u.Message = fmt.Sprintf("%d failed: %s", failed, u.Message)
	}
}

// readStep finds the step that a cluster or link is at, and what holds it up.
func (u *unitProgress) readStep(ctx context.Context, c client.Client, id string) {
	var s api.UnitStatus
	if query(ctx, c, id, "", &s) != nil || len(s.Steps) == 0 {
		return
	}
	last := s.Steps[len(s.Steps)-1]
	u.Step = last.Step
	if last.State != api.Running {
		return
	}
	u.Since = &last.Began
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return
	}
	for _, p := range d.GetPendingActivities() {
		if hb := p.GetHeartbeatDetails().GetPayloads(); len(hb) > 0 {
			_ = decode(hb[0], &u.WaitsFor)
		}
		if u.Attempt = p.GetAttempt(); u.Attempt > 1 {
			u.LastError = p.GetLastFailure().GetMessage()
		}
		if p.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED && u.Attempt <= 1 && u.WaitsFor == "" {
			u.WaitsFor = "no worker has taken it yet"
		}
	}
}

// doing is what a unit does just now, in a line.
func (u unitProgress) doing() string {
	var parts []string
	if u.Links > 0 && u.State != api.Done && (u.Done > 0 || u.State == api.Running) {
		parts = append(parts, fmt.Sprintf("%d of %d done", u.Done, u.Links))
	}
	if u.Step != "" {
		parts = append(parts, strings.TrimSpace("step "+u.Step))
	}
	out := strings.Join(parts, ", ")
	if u.WaitsFor != "" {
		out += ": " + oneLine(u.WaitsFor)
	}
	if u.LastError != "" {
		out += fmt.Sprintf(" (try %d; the last: %s)", u.Attempt, oneLine(u.LastError))
	}
	if u.Message != "" {
		out = strings.TrimPrefix(out+": "+strings.TrimPrefix(oneLine(u.Message), u.Unit+": "), ": ")
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// holds says what keeps a fleet from going on, with what to do.
func (p progress) holds() string {
	switch {
	case p.Paused:
		return fmt.Sprintf("paused; `landbridge resume %s` lets it go on", p.Fleet)
	case p.Phase == api.PhaseApproval:
		return fmt.Sprintf("wave %s waits; `landbridge approve %s --reason …` lets it begin", p.WaitsFor, p.Fleet)
	}
	return ""
}
