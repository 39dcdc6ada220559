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
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
)

// start starts what changes a fleet, under the fleet's one workflow ID, which
// is the lock. The same request joins the one that runs. Another one is refused
// with what is running; only a cleanup cancels a rollout, and waits for it.
func start(ctx context.Context, c client.Client, say io.Writer, typ string, in api.FleetInput) (client.WorkflowRun, error) {
	id := fleet.WorkflowID(in.Fleet.Metadata.Name)
	if in.DryRun { // it changes nothing, so it is in nobody's way
		id += ".dry-run." + uuid.NewString()
	}
	request, err := digest(typ, in)
	if err != nil {
		return nil, err
	}
	for {
		run, err := connect.Execute(ctx, c, client.StartWorkflowOptions{
			ID: id, TaskQueue: in.Fleet.Spec.TaskQueue,
			WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
			WorkflowExecutionErrorWhenAlreadyStarted: true,
			StaticSummary:                            typ + " " + in.Fleet.Metadata.Name,
			StaticDetails:                            in.Request.Line(),
			Memo:                                     map[string]any{api.MemoRequest: request},
			TypedSearchAttributes:                    found(in),
		}, typ, in)
		var running *serviceerror.WorkflowExecutionAlreadyStarted
		if !errors.As(err, &running) {
			return run, err
		}
		joined, err := joinOrWait(ctx, c, say, id, typ, request, in.Fleet.Metadata.Name)
		if joined != nil || err != nil {
			return joined, err
		}
	}
}

// joinOrWait looks at what runs: it returns it when it is the same request, nil
// when it is over by now, and an error when it is in the way.
func joinOrWait(ctx context.Context, c client.Client, say io.Writer, id, typ, request, name string) (client.WorkflowRun, error) {
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return nil, err
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, nil
	}
	run := c.GetWorkflow(ctx, id, info.GetExecution().GetRunId())
	var have string
	if p := info.GetMemo().GetFields()[api.MemoRequest]; p != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(p, &have)
	}
	what := info.GetType().GetName()
	since := info.GetStartTime().AsTime().Local().Format(time.RFC3339)
	switch {
	case have == request:
		fmt.Fprintf(say, "joining the %s of the fleet %s that runs since %s\n", noun(what), name, since)
		return run, nil
	case typ == api.CleanupFleet && what == api.RolloutFleet:
		fmt.Fprintf(say, "cancelling the rollout that runs since %s, and waiting until it has undone its open steps\n", since)
		if err := c.CancelWorkflow(ctx, id, run.GetRunID()); err != nil {
			var gone *serviceerror.NotFound
			if errors.As(err, &gone) {
				return nil, nil
			}
			return nil, err
		}
		_ = run.Get(ctx, nil) // how it ended does not matter to a cleanup
		return nil, ctx.Err()
	}
	return nil, failed(fmt.Errorf("the fleet %s is being changed: a %s with another fleet file or other flags runs since %s (workflow %s, run %s); `landbridge watch %s` shows it, `landbridge cleanup` would stop it",
		name, noun(what), since, id, run.GetRunID(), name))
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
