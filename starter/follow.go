package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/workflows"
)

// followInterval is between two looks at a workflow that is followed.
const followInterval = time.Second

// follow prints a line for every change until the workflow ends, and returns
// how it ended.
func follow(ctx context.Context, c client.Client, run client.WorkflowRun, w io.Writer) error {
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, nil) }()
	began, seen := time.Now(), map[string]string{}
	say := func(key, line string) {
		if seen[key] != line {
			seen[key] = line
			fmt.Fprintf(w, "%6.1fs  %s\n", time.Since(began).Seconds(), line)
		}
	}
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			look(ctx, c, run, say)
			return err
		case <-time.After(followInterval):
			look(ctx, c, run, say)
		}
	}
}

// look says where a fleet's workflow is, and where the clusters and links are
// that are being worked on.
func look(ctx context.Context, c client.Client, run client.WorkflowRun, say func(key, line string)) {
	var s workflows.FleetStatus
	if query(ctx, c, run.GetID(), run.GetRunID(), &s) != nil {
		return // no worker answers just now; the next look may
	}
	say("phase", s.Phase)
	for _, cl := range s.Clusters {
		if cl.State == workflows.Pending {
			continue
		}
		line := fmt.Sprintf("cluster %s: %s", cl.Name, cl.State)
		if cl.State == workflows.Running {
			line += current(ctx, c, run.GetID()+".cluster."+cl.Name)
		} else if cl.Message != "" {
			line += ": " + cl.Message
		}
		say("cluster "+cl.Name, line)
	}
	for _, src := range s.Sources {
		if src.State == workflows.Pending {
			continue
		}
		line := fmt.Sprintf("%d links of %s: %s", src.Links, src.Name, src.State)
		if src.Message != "" {
			line += ": " + src.Message
		}
		say("links "+src.Name, line)
	}
}

// current is the step that a cluster is at, and what holds it up.
func current(ctx context.Context, c client.Client, id string) string {
	var u workflows.UnitStatus
	if query(ctx, c, id, "", &u) != nil || len(u.Steps) == 0 {
		return ""
	}
	out := ", step " + u.Steps[len(u.Steps)-1].Step
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return out
	}
	for _, p := range d.GetPendingActivities() {
		var waiting string
		if hb := p.GetHeartbeatDetails().GetPayloads(); len(hb) > 0 {
			_ = decode(hb[0], &waiting)
		}
		if waiting != "" {
			out += ": " + waiting
		}
		if p.GetAttempt() > 1 && p.GetLastFailure() != nil {
			out += fmt.Sprintf(" (try %d; the last: %s)", p.GetAttempt(), p.GetLastFailure().GetMessage())
		}
	}
	return out
}

func query(ctx context.Context, c client.Client, id, runID string, out any) error {
	v, err := c.QueryWorkflow(ctx, id, runID, workflows.StatusQuery)
	if err != nil {
		return err
	}
	return v.Get(out)
}

func isNotFound(err error) bool {
	var e *serviceerror.NotFound
	return errors.As(err, &e)
}
