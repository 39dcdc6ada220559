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

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
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
			running, err := runs.Last(cmd.Context(), c, name)
			if err != nil {
				return failed(err)
			}
			if v.takes == aWave && in.Wave == "" && running.Running() {
				if in.Wave, err = waveThatWaits(cmd, c, running); err != nil {
					return err
				}
			}
			if v.name == api.UpdateRetry && !running.Running() {
				return a.again(cmd, c, running, in)
			}
			if v.name == api.UpdateRetry && running.Type == api.RolloutFleet && in.Unit == (api.Unit{}) {
				return usage(fmt.Errorf("the rollout still runs; name what to retry with --cluster or --link"))
			}
			said, err := runs.Decide(cmd.Context(), c, running, v.name, in)
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
func waveThatWaits(cmd *cobra.Command, c client.Client, r runs.Run) (string, error) {
	if !canAsk(cmd.InOrStdin(), cmd.ErrOrStderr()) {
		return "", usage(fmt.Errorf("name the wave with --wave, since there is no terminal; `landbridge status %s` shows which one waits", r.Fleet))
	}
	var s api.Status
	if err := runs.Status(cmd.Context(), c, r.ID, r.RunID, &s); err != nil {
		return "", failed(fmt.Errorf("ask which wave waits: %w", err))
	}
	return s.WaitsFor, nil
}

// leftSomethingOut tells whether a run skipped a unit, by somebody's decision. A run whose status
// cannot be asked any more left nothing out that anybody knows of.
func leftSomethingOut(ctx context.Context, c client.Client, r runs.Run) bool {
	var s api.Status
	return runs.Status(ctx, c, r.ID, r.RunID, &s) == nil && s.Count(nil)[api.Skipped] > 0
}

// again repeats a rollout that has ended, with the same fleet file and flags.
func (a *app) again(cmd *cobra.Command, c client.Client, r runs.Run, in api.DecisionInput) error {
	if r.Type != api.RolloutFleet {
		return failed(fmt.Errorf("the last run of the fleet %s was a %s, not a rollout; `landbridge rollout` starts one", r.Fleet, runs.Noun(r.Type)))
	}
	if r.Status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED && !leftSomethingOut(cmd.Context(), c, r) {
		return failed(fmt.Errorf("nothing failed or was skipped in the last rollout of the fleet %s, so there is nothing to retry", r.Fleet))
	}
	input, err := runs.Input(cmd.Context(), c, r.ID, r.RunID)
	if err != nil {
		return failed(err)
	}
	input.Plan = nil // some of it is done
	input.Request = fleet.Request{Reason: in.Reason, RequestedBy: in.By}
	return a.change(cmd, api.RolloutFleet, input, false, a.showRollout)
}
