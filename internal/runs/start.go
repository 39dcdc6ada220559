package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// change holds a request to change a fleet, under the fleet's one workflow ID.
type change struct {
	in api.FleetInput
	// typ and id are those of the workflow. digest identifies the request.
	typ, id, digest string
}

func newChange(typ string, in api.FleetInput) (change, error) {
	in.Contract = api.Contract
	c := change{in: in, typ: typ, id: fleet.WorkflowID(in.Fleet.Metadata.Name)}
	if in.DryRun { // it changes nothing, so it needs no lock
		c.id += ".dry-run." + uuid.NewString()
	}
	var err error
	c.digest, err = digest(typ, in)
	return c, err
}

// start starts a workflow that changes a fleet. The fleet's one workflow ID is the lock.
// Where one runs already, the same request joins it; a cleanup cancels a rollout, and
// waits until it has ended; any other request ends with an error that names what runs.
func start(ctx context.Context, c client.Client, say io.Writer, want change) (client.WorkflowRun, error) {
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
func (want change) joinOrWait(ctx context.Context, c client.Client, say io.Writer) (client.WorkflowRun, error) {
	d, err := c.DescribeWorkflowExecution(ctx, want.id, "")
	if err != nil {
		return nil, err
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, nil
	}
	run := c.GetWorkflow(ctx, want.id, info.GetExecution().GetRunId())
	var have string
	if p := info.GetMemo().GetFields()[api.MemoRequest]; p != nil {
		_ = decode(p, &have)
	}
	name, what := want.in.Fleet.Metadata.Name, info.GetType().GetName()
	since := info.GetStartTime().AsTime().Local().Format(time.RFC3339)
	switch {
	case have == want.digest:
		fmt.Fprintf(say, "joining the %s of the fleet %s that runs since %s\n", noun(what), name, since)
		return run, nil
	case want.typ == api.CleanupFleet && what == api.RolloutFleet:
		if err := want.mayCancel(ctx, c, run); err != nil {
			return nil, err
		}
		fmt.Fprintf(say, "canceling the rollout that runs since %s, and waiting until it has undone its open steps\n", since)
		if err := c.CancelWorkflow(ctx, want.id, run.GetRunID()); err != nil {
			if isNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		_ = outcome(ctx, run, nil) // how it ended does not matter to a cleanup
		return nil, ctx.Err()
	}
	return nil, failed(fmt.Errorf("the fleet %s is being changed by a %s with another fleet file or other flags, since %s (workflow %s, run %s); wait until it ends (`landbridge watch %s` shows it)%s",
		name, noun(what), since, want.id, run.GetRunID(), name, orCancel(what, name)))
}

// mayCancel returns an error where the cleanup would be refused, for which nobody's rollout
// is canceled: where the rollout that runs protects the fleet, or a cluster remembers
// that the last one did.
func (want change) mayCancel(ctx context.Context, c client.Client, run client.WorkflowRun) error {
	running, err := inputOf(ctx, c, run.GetID(), run.GetRunID())
	if err != nil {
		return err
	}
	if err := want.in.Fleet.Protects([]fleet.Fleet{running.Fleet}); err != nil {
		return usage(fmt.Errorf("%w; the rollout that runs goes on", err))
	}
	in, would := want.in, api.CleanupResult{}
	in.DryRun = true
	// A cluster that does not answer now does not keep the others from being cleaned up.
	_, _ = look(ctx, c, api.CleanupFleet, in, &would)
	if would.Refused != "" {
		return usage(fmt.Errorf("%s; the rollout that runs goes on", would.Refused))
	}
	return ctx.Err()
}

// inputOf returns the input of a workflow that works on a whole fleet.
func inputOf(ctx context.Context, c client.Client, id, runID string) (in api.FleetInput, err error) {
	began, err := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return in, err
	}
	if err := decode(began.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0], &in); err != nil {
		return in, fmt.Errorf("read the input of the workflow %s: %w", id, err)
	}
	return in, nil
}

// orCancel tells how to end a rollout or cleanup that somebody does not want to wait for.
func orCancel(what, name string) string {
	if what != api.RolloutFleet && what != api.CleanupFleet {
		return ""
	}
	return fmt.Sprintf(", or end it with `landbridge cancel %s --reason …`", name)
}

// noun returns the word for people of a type of workflow.
func noun(workflowType string) string {
	switch workflowType {
	case api.RolloutFleet:
		return "rollout"
	case api.CleanupFleet:
		return "cleanup"
	case api.MoveRoot:
		return "move of the root"
	case api.ImportRoot:
		return "import of the root"
	case api.ForgetFleet:
		return "forget"
	case api.RevokeFleet:
		return "revoke"
	case api.RestartFleet:
		return "restart"
	case api.RotateFleet:
		return "rotation"
	}
	return workflowType
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

// explained returns the error that a run ended with, with every failure that its status
// lists. Where no worker answers, it has the few failures that the error has room for.
func explained(ctx context.Context, c client.Client, run client.WorkflowRun, err error) error {
	end := ended(err)
	var s api.Status
	var coded *exitError
	if !errors.As(end, &coded) || len(api.Failures(err)) == 0 || query(ctx, c, run.GetID(), run.GetRunID(), &s) != nil || len(s.Failures) == 0 {
		return end
	}
	first, _, _ := strings.Cut(coded.Error(), "\n")
	lines := []string{first}
	for _, f := range s.Failures {
		lines = append(lines, f.String())
	}
	if n := s.Failed - len(s.Failures); n > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", n))
	}
	return &exitError{coded.code, errors.New(strings.Join(lines, "\n"))}
}

// ended turns how a workflow ended into an error with an exit code.
func ended(err error) error {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		var canceled *temporal.CanceledError
		if errors.As(err, &canceled) {
			said := "the run was canceled"
			if canceled.HasDetails() {
				_ = canceled.Details(&said)
			}
			return failed(errors.New(said))
		}
		var terminated *temporal.TerminatedError
		if errors.As(err, &terminated) {
			return failed(errors.New("the run was terminated in Temporal, which undoes nothing; run it again, or clean up"))
		}
		return failed(err)
	}
	switch app.Type() {
	case api.TypePartly, api.TypeLeftOver:
		return &exitError{exitPartly, errors.New(app.Message())}
	case api.TypePreflight:
		return usage(errors.New(app.Message()))
	}
	return failed(errors.New(app.Message()))
}
