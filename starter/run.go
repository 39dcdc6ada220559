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

// change is a request to change a fleet, under the fleet's one workflow ID.
type change struct {
	in api.FleetInput
	// typ is the type of the workflow, id its ID, digest what is asked for.
	typ, id, digest string
}

func newChange(typ string, in api.FleetInput) (change, error) {
	c := change{in: in, typ: typ, id: fleet.WorkflowID(in.Fleet.Metadata.Name)}
	if in.DryRun { // it changes nothing, so it is in nobody's way
		c.id += ".dry-run." + uuid.NewString()
	}
	var err error
	c.digest, err = digest(typ, in)
	return c, err
}

// start starts what changes a fleet. The fleet's one workflow ID is the lock: the same
// request joins the one that runs; another one is refused with what is running; only a
// cleanup cancels a rollout, and waits for it.
func start(ctx context.Context, c client.Client, say io.Writer, want change) (client.WorkflowRun, error) {
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

// joinOrWait looks at what runs: it returns it when it is the same request, nil when it
// is over by now, and an error when it is in the way.
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
		fmt.Fprintf(say, "canceling the rollout that runs since %s, and waiting until it has undone its open steps\n", since)
		if err := c.CancelWorkflow(ctx, want.id, run.GetRunID()); err != nil {
			if isNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		_ = run.Get(ctx, nil) // how it ended does not matter to a cleanup
		return nil, ctx.Err()
	}
	return nil, failed(fmt.Errorf("the fleet %s is being changed: a %s with another fleet file or other flags runs since %s (workflow %s, run %s); `landbridge watch %s` shows it, `landbridge cleanup` would stop it",
		name, noun(what), since, want.id, run.GetRunID(), name))
}

func noun(workflowType string) string {
	switch workflowType {
	case api.RolloutFleet:
		return "rollout"
	case api.CleanupFleet:
		return "cleanup"
	}
	return workflowType
}

// found is what finds the workflow in Temporal.
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

// digest is of what is asked for, whoever asks.
func digest(typ string, in api.FleetInput) (string, error) {
	in.Request = fleet.Request{}
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(typ+"\n"), data...))
	return hex.EncodeToString(sum[:16]), nil
}

// explained is how a run ended, with every failure that its status knows: the
// error itself has room for a few. Where no worker answers, those must do.
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
		if temporal.IsCanceledError(err) {
			return failed(errors.New("it was canceled; what was under way is undone"))
		}
		var terminated *temporal.TerminatedError
		if errors.As(err, &terminated) {
			return failed(errors.New("it was terminated; run it again, or clean up"))
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
