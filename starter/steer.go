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

// verb describes a command that decides about a rollout that runs.
type verb struct {
	name, short, long, example string
	// needsReason makes --reason required. takesUnit adds --cluster and --link.
	needsReason, takesUnit bool
}

var verbs = []verb{
	{api.UpdateApprove, "Let the next wave begin",
		"Let the wave begin that waits for an approval. Waves wait where the fleet file has\n" +
			"spec.rollout.approval: waves.",
		"  landbridge approve prod --reason CHG-7", true, false},
	{api.UpdatePause, "Pause a rollout before its next steps",
		"Pause a rollout: steps that run may end, and no other begins on any cluster until\n`landbridge resume`.",
		"  landbridge pause prod", false, false},
	{api.UpdateResume, "Let a paused rollout go on", "Let a paused rollout go on.",
		"  landbridge resume prod", false, false},
	{api.UpdateRetry, "Retry a failed cluster or link",
		"Retry a failed cluster or link of a rollout that runs.\n\n" +
			"Where the rollout has ended, it is run again with the same fleet file and flags, for the whole\n" +
			"fleet: it changes only what differs from the fleet file.",
		"  landbridge retry prod --cluster west\n  landbridge retry prod --link east.west", false, true},
	{api.UpdateSkip, "Leave a cluster or link out of a rollout",
		"Leave a cluster or link out of a rollout that runs. It must have failed, or must not have begun. A\n" +
			"cluster's links are left out with it.",
		"  landbridge skip prod --link east.west --reason CHG-7", true, true},
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
		Example: v.example,
		Long:    v.long + "\n\nThe workflow's history, `landbridge status` and the report show who decided, when and why.",
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
				return usage(fmt.Errorf("the rollout still runs; name what to retry with --cluster or --link"))
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
	reason := "why, such as a change number"
	if v.needsReason {
		reason += " (required)"
	}
	cmd.Flags().StringVar(&d.by, "by", "", "who decides (default: you, as user@host)")
	cmd.Flags().StringVar(&d.reason, "reason", "", reason)
	if v.needsReason {
		_ = cmd.MarkFlagRequired("reason")
	}
	if v.takesUnit {
		cmd.Flags().StringVar(&d.cluster, "cluster", "", "`name` of the cluster to "+v.name)
		cmd.Flags().StringVar(&d.link, "link", "", "link to "+v.name+", as `FROM.TO`")
		cmd.MarkFlagsMutuallyExclusive("cluster", "link")
	}
	return cmd
}

// typed holds what a person typed of a decision.
type typed struct{ by, reason, cluster, link string }

// decision checks what a person typed, and returns it as the input of an update.
func (t typed) decision(v verb) (api.DecisionInput, error) {
	in := api.DecisionInput{By: cmp.Or(t.by, me()), Reason: strings.TrimSpace(t.reason)}
	if err := (fleet.Request{Reason: in.Reason, RequestedBy: in.By}).Validate(); err != nil {
		return in, err
	}
	if v.needsReason && in.Reason == "" {
		return in, errors.New("--reason is empty; give the reason, which is kept with the decision")
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

// lastChange describes the last workflow that changed a fleet.
type lastChange struct {
	fleet, id, run, typ string
	running             bool
	status              enumspb.WorkflowExecutionStatus
}

// lastRun finds the last workflow that changed a fleet, whether it runs or has ended.
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
	return fmt.Errorf("this Temporal knows nothing of a fleet %s: no rollout or cleanup of it ran here, or its history is older than the retention", name)
}

// decide sends a decision, and returns the rollout's answer, which is one sentence.
func decide(ctx context.Context, c client.Client, r lastChange, what string, in api.DecisionInput) (string, error) {
	switch {
	case !r.running:
		return "", fmt.Errorf("no rollout of the fleet %s runs (the last %s is %s); there is nothing to %s", r.fleet, noun(r.typ), statusWord(r.status), what)
	case r.typ != api.RolloutFleet:
		return "", fmt.Errorf("a %s of the fleet %s runs; `landbridge %s` works for rollouts only", noun(r.typ), r.fleet, what)
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

// again repeats a rollout that has ended, with the same fleet file and flags.
func (a *app) again(cmd *cobra.Command, c client.Client, r lastChange, in api.DecisionInput) error {
	if r.typ != api.RolloutFleet {
		return failed(fmt.Errorf("the last run of the fleet %s was a %s, not a rollout; `landbridge rollout` starts one", r.fleet, noun(r.typ)))
	}
	if r.status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		return failed(fmt.Errorf("nothing failed in the last rollout of the fleet %s, so there is nothing to retry", r.fleet))
	}
	began, err := c.GetWorkflowHistory(cmd.Context(), r.id, r.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return failed(err)
	}
	var input api.FleetInput
	if err := decode(began.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0], &input); err != nil {
		return failed(fmt.Errorf("read the input of the last rollout: %w", err))
	}
	input.Request = fleet.Request{Reason: in.Reason, RequestedBy: in.By}
	return a.change(cmd, api.RolloutFleet, input, false, a.showRollout)
}
