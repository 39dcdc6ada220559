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

// verb describes a command that decides about a rollout or cleanup that runs.
type verb struct {
	name, short, long, example string
	// needsReason makes --reason required. takes names what else can be given.
	needsReason bool
	takes       takes
}

// takes names the flags that a verb takes: --cluster and --link, --wave, or --keep.
type takes int

const (
	nothing takes = iota
	aUnit
	aWave
	toKeep
)

var verbs = []verb{
	{api.UpdateApprove, "Let the next wave begin",
		"Let the wave of a rollout or cleanup begin that waits for an approval. Waves wait where the fleet\n" +
			"file has spec.rollout.approval: waves; what left the fleet file is removed by the wave prune. With\n" +
			"--wave, which is required without a terminal, no other wave than this one is approved, and once\n" +
			"more changes nothing.",
		"  landbridge approve prod --wave europe --reason CHG-7", true, aWave},
	{api.UpdatePause, "Pause a rollout or cleanup before its next steps",
		"Pause a rollout or cleanup: steps that run may end, and no other begins on any cluster until\n`landbridge resume`.",
		"  landbridge pause prod", false, nothing},
	{api.UpdateResume, "Let a paused rollout or cleanup go on", "Let a paused rollout or cleanup go on.",
		"  landbridge resume prod", false, nothing},
	{api.UpdateRetry, "Retry a failed cluster or link",
		"Retry a failed cluster or link of a rollout that runs.\n\n" +
			"Where the rollout has ended, it is run again with the same fleet file and flags, for the whole\n" +
			"fleet: it changes only what differs from the fleet file.",
		"  landbridge retry prod --cluster west\n  landbridge retry prod --link east.west\n  landbridge retry prod   # the last rollout, where it has ended", false, aUnit},
	{api.UpdateSkip, "Leave a cluster or link out of a rollout or cleanup",
		"Leave a cluster or link out of a rollout that runs. It must have failed, or must not have begun. A\n" +
			"cluster's links are left out with it.\n\n" +
			"A cluster that is left out of a cleanup stays, and so does the root; its links with what went are\n" +
			"removed.",
		"  landbridge skip prod --link east.west --reason CHG-7", true, aUnit},
	{api.UpdateCancel, "End a rollout or cleanup that runs",
		"End a rollout that runs. The cluster or link that is being worked on is undone, or with --keep left\n" +
			"as it is; what is done stays. `landbridge rollout` goes on from there, `landbridge cleanup` removes\n" +
			"the fleet. A cleanup that is ended undoes nothing: what is left stays.",
		"  landbridge cancel prod --reason CHG-7", true, toKeep},
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
		Use: v.name + fleetArg, Args: cobra.MaximumNArgs(1), Short: v.short,
		Example: v.example,
		Long:    v.long + "\n\nWithout FLEET it takes the fleet of the fleet file or, without a file, the only one that Temporal\nknows. The workflow's history, `landbridge status` and the report show who decided, when and why.",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := d.decision(v)
			if err != nil {
				return usage(err)
			}
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			running, err := lastRun(cmd.Context(), c, name)
			if err != nil {
				return failed(err)
			}
			if v.takes == aWave && in.Wave == "" && running.running {
				if in.Wave, err = waveThatWaits(cmd, c, running); err != nil {
					return err
				}
			}
			if v.name == api.UpdateRetry && !running.running {
				return a.again(cmd, c, running, in)
			}
			if v.name == api.UpdateRetry && running.typ == api.RolloutFleet && in.Unit == (api.Unit{}) {
				return usage(fmt.Errorf("the rollout still runs; name what to retry with --cluster or --link"))
			}
			said, err := decide(cmd.Context(), c, running, v.name, in)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "fleet %s: %s\n", name, said)
			return nil
		},
	}
	a.fileFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	if v.name == api.UpdateRetry { // the only one that may start a run
		a.outputFlag(cmd, outputName)
	}
	waitFlag(cmd) // a worker has to take the decision
	reason := "why, such as a change number"
	if v.needsReason {
		reason += " (required)"
	}
	cmd.Flags().StringVar(&d.by, "by", "", "who decides (default: $"+requesterVariable+", or you, as user@host)")
	cmd.Flags().StringVar(&d.reason, "reason", "", reason)
	if v.needsReason {
		_ = cmd.MarkFlagRequired("reason")
	}
	switch v.takes {
	case aWave:
		cmd.Flags().StringVar(&d.wave, "wave", "", "`name` of the wave to approve (default on a terminal: the one that waits)")
	case toKeep:
		cmd.Flags().BoolVar(&d.keep, "keep", false, "leave what is being worked on as it is, and undo nothing")
	case aUnit:
		cmd.Flags().StringVar(&d.cluster, "cluster", "", "`name` of the cluster to "+v.name)
		cmd.Flags().StringVar(&d.link, "link", "", "link to "+v.name+", as `FROM.TO`")
		cmd.MarkFlagsMutuallyExclusive("cluster", "link")
	}
	return cmd
}

// typed holds what a person typed of a decision.
type typed struct {
	by, reason, cluster, link, wave string
	keep                            bool
}

// decision checks what a person typed, and returns it as the input of an update.
func (t typed) decision(v verb) (api.DecisionInput, error) {
	in := api.DecisionInput{By: cmp.Or(t.by, me()), Reason: strings.TrimSpace(t.reason), Wave: t.wave, Keep: t.keep}
	if err := (fleet.Request{Reason: in.Reason, RequestedBy: in.By}).Validate(); err != nil {
		return in, err
	}
	if v.needsReason && in.Reason == "" {
		return in, errors.New("--reason is empty; give the reason, which is kept with the decision")
	}
	switch {
	case t.cluster != "":
		in.Unit = api.Member(t.cluster)
	case t.link != "":
		l, err := parseLink(t.link)
		if err != nil {
			return in, err
		}
		in.Unit = api.LinkOf(l)
	case v.name == api.UpdateSkip:
		return in, errors.New("name what to skip with --cluster or --link")
	}
	return in, nil
}

// parseLink reads a link as people type it.
func parseLink(typed string) (fleet.Link, error) {
	from, to, ok := strings.Cut(typed, ".")
	if !ok || from == "" || to == "" {
		return fleet.Link{}, fmt.Errorf("--link: want FROM.TO, got %q", typed)
	}
	return fleet.Link{From: from, To: to}, nil
}

// waveThatWaits returns the wave that waits for an approval, for a person who sees which
// it is. Without a terminal it must be named: a script may come late, and would approve
// another wave than the one that somebody looked at.
func waveThatWaits(cmd *cobra.Command, c client.Client, r lastChange) (string, error) {
	if !canAsk(cmd.InOrStdin(), cmd.ErrOrStderr()) {
		return "", usage(fmt.Errorf("name the wave with --wave, since there is no terminal; `landbridge status %s` shows which one waits", r.fleet))
	}
	var s api.Status
	if err := query(cmd.Context(), c, r.id, r.run, &s); err != nil {
		return "", failed(fmt.Errorf("ask which wave waits: %w", err))
	}
	return s.WaitsFor, nil
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

// decide sends a decision, and returns the run's answer, which is one sentence.
func decide(ctx context.Context, c client.Client, r lastChange, what string, in api.DecisionInput) (string, error) {
	switch {
	case !r.running:
		return "", fmt.Errorf("no rollout or cleanup of the fleet %s runs (the last %s is %s); there is nothing to %s", r.fleet, noun(r.typ), statusWord(r.status), what)
	case r.typ == api.CleanupFleet && what == api.UpdateRetry:
		return "", fmt.Errorf("a cleanup of the fleet %s runs, and works on all that is left; when it has ended, `landbridge cleanup` tries the rest again", r.fleet)
	case r.typ != api.RolloutFleet && r.typ != api.CleanupFleet:
		return "", fmt.Errorf("a %s of the fleet %s runs; `landbridge %s` works for rollouts and cleanups only", noun(r.typ), r.fleet, what)
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
	input, err := inputOf(cmd.Context(), c, r.id, r.run)
	if err != nil {
		return failed(err)
	}
	input.Plan = nil // some of it is done
	input.Request = fleet.Request{Reason: in.Reason, RequestedBy: in.By}
	return a.change(cmd, api.RolloutFleet, input, false, a.showRollout)
}
