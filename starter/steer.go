package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// verb is a command that decides about a rollout that runs.
type verb struct {
	name, short, long string
	// needsReason and takesUnit say which flags it has.
	needsReason, takesUnit bool
}

var verbs = []verb{
	{api.UpdateApprove, "Let the wave begin that waits for an approval",
		"Let the wave begin that waits for an approval (rollout.approval: waves). It is refused where none waits.", true, false},
	{api.UpdatePause, "Hold a rollout before its next steps",
		"Hold a rollout: steps that run may end, and no other begins, on any cluster, until `landbridge resume`.", false, false},
	{api.UpdateResume, "Let a paused rollout go on", "Let a paused rollout go on.", false, false},
	{api.UpdateRetry, "Retry a failed cluster or link",
		"Retry a failed cluster or link of a rollout that runs. Where the rollout has ended, it is run again as it was\n" +
			"asked for: what is as it should be is not touched.", false, true},
	{api.UpdateSkip, "Leave a cluster or link out of a rollout that runs",
		"Leave a cluster or link that has failed, or has not begun, out of a rollout that runs; of a cluster its links too.", true, true},
}

// steering returns the commands that decide about a rollout that runs.
func (a *app) steering() []*cobra.Command {
	var out []*cobra.Command
	for _, v := range verbs {
		out = append(out, a.steer(v))
	}
	return out
}

func (a *app) steer(v verb) *cobra.Command {
	var d typed
	cmd := &cobra.Command{
		Use: v.name + " FLEET", Args: cobra.ExactArgs(1), Short: v.short,
		Long: v.long + "\n\nWho decided, when and why is in the workflow's history, in `landbridge status` and in the report.",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := d.decision(v)
			if err != nil {
				return usage(err)
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			running, err := lastRun(cmd.Context(), c, args[0])
			if err != nil {
				return failed(err)
			}
			if v.name == api.UpdateRetry && !running.running {
				return a.again(cmd, c, running, in)
			}
			if v.name == api.UpdateRetry && in.Unit == (api.Unit{}) {
				return usage(fmt.Errorf("the rollout still runs: name what to retry with --cluster or --link"))
			}
			said, err := decide(cmd.Context(), c, running, v.name, in)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "fleet %s: %s\n", args[0], said)
			return nil
		},
	}
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().StringVar(&d.by, "by", "", "who decides (default: you, as user@host)")
	cmd.Flags().StringVar(&d.reason, "reason", "", "why, such as a change number")
	if v.needsReason {
		_ = cmd.MarkFlagRequired("reason")
	}
	if v.takesUnit {
		cmd.Flags().StringVar(&d.cluster, "cluster", "", "the cluster")
		cmd.Flags().StringVar(&d.link, "link", "", "the link, as FROM.TO")
		cmd.MarkFlagsMutuallyExclusive("cluster", "link")
	}
	return cmd
}

// typed is what a person typed of a decision.
type typed struct{ by, reason, cluster, link string }

// decision checks what a person typed.
func (t typed) decision(v verb) (api.DecisionInput, error) {
	in := api.DecisionInput{By: cmp.Or(t.by, me()), Reason: strings.TrimSpace(t.reason)}
	if err := (fleet.Request{Reason: in.Reason, RequestedBy: in.By}).Validate(); err != nil {
		return in, err
	}
	if v.needsReason && in.Reason == "" {
		return in, errors.New("--reason: say why; it is kept with the decision")
	}
	switch from, to, ok := strings.Cut(t.link, "."); {
	case t.cluster != "":
		in.Unit = api.Member(t.cluster)
	case t.link != "" && (!ok || from == "" || to == ""):
		return in, fmt.Errorf("--link: want FROM.TO, got %q", t.link)
	case t.link != "":
		in.Unit = api.LinkOf(fleet.Link{From: from, To: to})
	case v.name == api.UpdateSkip:
		return in, errors.New("name what to skip with --cluster or --link")
	}
	return in, nil
}

// lastChange is the last workflow that changed a fleet.
type lastChange struct {
	fleet, id, run, typ string
	running             bool
	status              enumspb.WorkflowExecutionStatus
}

func lastRun(ctx context.Context, c client.Client, name string) (lastChange, error) {
	id := fleet.WorkflowID(name)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if isNotFound(err) {
		return lastChange{}, unknownFleet(name)
	}
	if err != nil {
		return lastChange{}, err
	}
	info := d.GetWorkflowExecutionInfo()
	return lastChange{name, id, info.GetExecution().GetRunId(), info.GetType().GetName(),
		info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, info.GetStatus()}, nil
}

func unknownFleet(name string) error {
	return fmt.Errorf("this Temporal knows nothing of a fleet %s: no rollout or cleanup of it ran here (within its retention)", name)
}

// decide sends a decision, and returns what the rollout says to it.
func decide(ctx context.Context, c client.Client, r lastChange, what string, in api.DecisionInput) (string, error) {
	switch {
	case !r.running:
		return "", fmt.Errorf("no rollout of the fleet %s runs (the last %s is %s); there is nothing to %s", r.fleet, noun(r.typ), statusWord(r.status), what)
	case r.typ != api.RolloutFleet:
		return "", fmt.Errorf("a %s of the fleet %s runs; only a rollout takes %s", noun(r.typ), r.fleet, what)
	}
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: r.id, RunID: r.run, UpdateName: what,
		Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	var said string
	if err := h.Get(ctx, &said); err != nil {
		var app *temporal.ApplicationError
		if errors.As(err, &app) {
			return "", fmt.Errorf("%s is refused: %s", what, app.Message())
		}
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return said, nil
}

// again runs a rollout that ended once more, as it was asked for.
func (a *app) again(cmd *cobra.Command, c client.Client, r lastChange, in api.DecisionInput) error {
	if r.typ != api.RolloutFleet {
		return failed(fmt.Errorf("the last that was done with the fleet %s is a %s; `landbridge rollout` rolls it out again", r.fleet, noun(r.typ)))
	}
	if r.status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		return failed(fmt.Errorf("the last rollout of the fleet %s is done; nothing of it failed", r.fleet))
	}
	began, err := c.GetWorkflowHistory(cmd.Context(), r.id, r.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return failed(err)
	}
	var input api.FleetInput
	if err := decode(began.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0], &input); err != nil {
		return failed(fmt.Errorf("read what the last rollout was asked for: %w", err))
	}
	input.Request = fleet.Request{Reason: in.Reason, RequestedBy: in.By}
	return a.change(cmd, api.RolloutFleet, input, false, a.showRollout)
}
