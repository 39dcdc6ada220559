// Package runs starts, finds, follows and steers the workflows that change or look at fleets, for
// whoever does that: the command, and the worker that reconciles Fleets. It prints nothing, and
// knows no cluster.
package runs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Change holds a request to change a fleet, under the fleet's one workflow ID.
type Change struct {
	in api.FleetInput
	// typ and id are those of the workflow. digest identifies the request.
	typ, id, digest string
}

// dryRun marks the workflow ID of a dry run. No fleet's name has a dot.
const dryRun = ".dry-run."

// IsDryRun tells whether a workflow ID is that of a dry run, which changes no fleet.
func IsDryRun(id string) bool { return strings.Contains(id, dryRun) }

// NewChange returns the request for a workflow of a type, such as api.RolloutFleet.
func NewChange(typ string, in api.FleetInput) (Change, error) {
	in.Contract = api.Contract
	c := Change{in: in, typ: typ, id: fleet.WorkflowID(in.Fleet.Metadata.Name)}
	if in.DryRun { // it changes nothing, so it needs no lock
		c.id += dryRun + uuid.NewString()
	}
	var err error
	c.digest, err = digest(typ, in)
	return c, err
}

// Start starts a workflow that changes a fleet. The fleet's one workflow ID is the lock.
// Where one runs already, the same request joins it; a cleanup cancels a rollout, and
// waits until it has ended; any other request ends with an error that names what runs.
func Start(ctx context.Context, c client.Client, say func(string), want Change) (client.WorkflowRun, error) {
	if err := connect.Readable(ctx, c, want.in.Fleet.Metadata.Name); err != nil {
		return nil, err
	}
	for {
		run, err := connect.Execute(ctx, c, client.StartWorkflowOptions{
			ID: want.id, TaskQueue: want.in.Fleet.Spec.TaskQueue,
			WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
			WorkflowExecutionErrorWhenAlreadyStarted: true,
			StaticSummary:                            want.typ + " " + want.in.Fleet.Metadata.Name,
			StaticDetails:                            want.in.Request.Line(),
			Memo:                                     map[string]any{api.MemoRequest: want.digest},
			TypedSearchAttributes:                    found(want.in),
		}, want.typ, want.in)
		var running *serviceerror.WorkflowExecutionAlreadyStarted
		if !errors.As(err, &running) {
			return run, err
		}
		joined, err := want.joinOrWait(ctx, c, say)
		if joined != nil || err != nil {
			return joined, err
		}
	}
}

// joinOrWait returns the workflow that runs where its request is the same one, nil where
// it has ended by now, and an error where it must not be disturbed.
func (want Change) joinOrWait(ctx context.Context, c client.Client, say func(string)) (client.WorkflowRun, error) {
	d, err := c.DescribeWorkflowExecution(ctx, want.id, "")
	if err != nil {
		return nil, err
	}
	info := d.GetWorkflowExecutionInfo()
	if !api.IsOpen(info.GetStatus()) {
		return nil, nil
	}
	run := c.GetWorkflow(ctx, want.id, info.GetExecution().GetRunId())
	var have string
	if p := info.GetMemo().GetFields()[api.MemoRequest]; p != nil {
		_ = Decode(p, &have)
	}
	name, what := want.in.Fleet.Metadata.Name, info.GetType().GetName()
	since := info.GetStartTime().AsTime().Local().Format(time.RFC3339)
	running := Run{name, want.id, run.GetRunID(), what, info.GetStatus(), Paused(d)}
	switch {
	case have == want.digest:
		say(fmt.Sprintf("joining the %s of the fleet %s that runs since %s", Noun(what), name, since))
		if running.Paused != "" {
			say("it is " + running.Paused)
		}
		return run, nil
	case running.Paused != "": // it could not even be canceled
		return nil, &BusyError{running, since}
	case want.typ == api.CleanupFleet && what == api.RolloutFleet:
		if err := want.mayCancel(ctx, c, run); err != nil {
			return nil, err
		}
		say(fmt.Sprintf("canceling the rollout that runs since %s, and waiting until it has undone its open steps", since))
		if err := c.CancelWorkflow(ctx, want.id, run.GetRunID()); err != nil {
			if IsNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		_ = Outcome(ctx, run, nil) // how it ended does not matter to a cleanup
		return nil, ctx.Err()
	}
	return nil, &BusyError{running, since}
}

// mayCancel returns an error where the cleanup would be refused, for which nobody's rollout
// is canceled: where the rollout that runs protects the fleet, or a cluster remembers
// that the last one did.
func (want Change) mayCancel(ctx context.Context, c client.Client, run client.WorkflowRun) error {
	running, err := Input(ctx, c, run.GetID(), run.GetRunID())
	if err != nil {
		return err
	}
	if err := want.in.Fleet.Protects([]fleet.Fleet{running.Fleet}); err != nil {
		return &RefusedError{fmt.Errorf("%w; the rollout that runs goes on", err)}
	}
	in, would := want.in, api.CleanupResult{}
	in.DryRun = true
	// A cluster that does not answer now does not keep the others from being cleaned up.
	_, _ = Look(ctx, c, api.CleanupFleet, in, &would)
	if would.Refused != "" {
		return &RefusedError{fmt.Errorf("%s; the rollout that runs goes on", would.Refused)}
	}
	return ctx.Err()
}

// BusyError reports that another workflow changes the fleet.
type BusyError struct {
	// Run that is at it.
	Run Run
	// Since says when it began, as people read it.
	Since string
}

// Error names the workflow, and says what can be done.
func (e *BusyError) Error() string {
	name := e.Run.Fleet
	if e.Run.Paused != "" {
		return fmt.Sprintf("the fleet %s is being changed by a %s since %s (workflow %s, run %s), which is %s", name, Noun(e.Run.Type), e.Since, e.Run.ID, e.Run.RunID, e.Run.Paused)
	}
	return fmt.Sprintf("the fleet %s is being changed by a %s with another fleet file or other flags, since %s (workflow %s, run %s); wait until it ends (`landbridge watch %s` shows it)%s",
		name, Noun(e.Run.Type), e.Since, e.Run.ID, e.Run.RunID, name, orCancel(e.Run.Type, name))
}

// RefusedError reports a request that would have been refused, and for which nothing was begun or
// canceled.
type RefusedError struct{ error }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.error }

// orCancel tells how to end a rollout or cleanup that somebody does not want to wait for.
func orCancel(what, name string) string {
	if what != api.RolloutFleet && what != api.CleanupFleet {
		return ""
	}
	return fmt.Sprintf(", or end it with `landbridge cancel %s --reason …`", name)
}

// found returns the search attributes by which people find the workflow in Temporal.
func found(in api.FleetInput) temporal.SearchAttributes {
	keys := []temporal.SearchAttributeUpdate{api.FleetKey.ValueSet(in.Fleet.Metadata.Name), api.PhaseKey.ValueSet(string(api.Pending))}
	if in.Reason != "" {
		keys = append(keys, api.ReasonKey.ValueSet(in.Reason))
	}
	if in.RequestedBy != "" {
		keys = append(keys, api.RequestedByKey.ValueSet(in.RequestedBy))
	}
	return temporal.NewSearchAttributes(keys...)
}

// digest returns a hash of a request without who asked for it and why, so that the same
// request has the same digest.
func digest(typ string, in api.FleetInput) (string, error) {
	in.Request = fleet.Request{}
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(typ+"\n"), data...))
	return hex.EncodeToString(sum[:16]), nil
}
