package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
)

// leastEvery limits how often a fleet is checked, so that checks do not keep its workers
// busy.
const leastEvery = time.Minute

func (a *app) schedule() *cobra.Command {
	var (
		every time.Duration
		heal  bool
		why   fleet.Request
		known knownBy
	)
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Check a fleet for drift at regular intervals",
		Long: "Check a fleet for drift at regular intervals, by a Temporal Schedule. Each check compares the\n" +
			"clusters with what was rolled out last, as their inventories have it: the schedule keeps no fleet\n" +
			"file, only how the clusters are reached, and each rollout tells it that anew. Run the command again\n" +
			"to replace the interval. A check is left out while the one before it still runs, and counts nothing\n" +
			"while a rollout or cleanup runs.\n\n" +
			"With --self-heal each check that finds drift rolls out again what was rolled out last, and\n" +
			"overwrites what somebody else changed. It brings nothing back that a cleanup removed, and finishes\n" +
			"no rollout that did not reach every cluster.",
		Example: "  landbridge schedule prod --every 1h\n  landbridge schedule -f fleet.yaml --every 1h\n  landbridge schedule prod --every 6h --self-heal --reason CHG-7\n  landbridge schedule show prod\n  landbridge schedule delete prod",
		RunE: func(cmd *cobra.Command, args []string) error {
			if every < leastEvery {
				return usage(fmt.Errorf("--every: want at least %s, got %s", leastEvery, every))
			}
			if err := requested(&why); err != nil {
				return err
			}
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			in.SelfHeal, in.Request = heal, why
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			if err := setSchedule(cmd.Context(), c, in, every); err != nil {
				return failed(err)
			}
			name, heals := in.Fleet.Metadata.Name, ""
			if heal {
				heals = ", and a rollout repairs it where it differs"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "fleet %s is checked for drift every %s%s; `landbridge schedule show %s` shows the last checks\n", name, every, heals, name)
			return nil
		},
	}
	a.nameOrFile(cmd, &known)
	a.temporal.Bind(cmd.PersistentFlags())
	requestFlags(cmd, &why)
	cmd.Flags().DurationVar(&every, "every", time.Hour, "interval between two checks, at least 1m")
	cmd.Flags().BoolVar(&heal, "self-heal", false, "roll the fleet out where it differs, and overwrite what somebody else changed")
	cmd.AddCommand(a.scheduleShow(), a.scheduleDelete())
	return cmd
}

// setSchedule creates a fleet's schedule, or replaces it.
func setSchedule(ctx context.Context, c client.Client, in api.FleetInput, every time.Duration) error {
	in.Contract, in.Fleet, in.FromInventories = api.Contract, in.Fleet.Reach(), true
	name := in.Fleet.Metadata.Name
	if err := connect.Readable(ctx, c, name); err != nil {
		return err
	}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	action := &client.ScheduleWorkflowAction{ID: fleet.ScheduleID(name), Workflow: api.DriftFleet, Args: []any{in}, TaskQueue: in.Fleet.Spec.TaskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(api.FleetKey.ValueSet(name)), StaticSummary: "DriftFleet " + name}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{ID: fleet.ScheduleID(name), Spec: spec, Action: action,
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, Note: in.Request.Line()})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(name)).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(u client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := u.Description.Schedule
			s.Spec, s.Action = &spec, action
			s.State.Note = in.Request.Line()
			return &client.ScheduleUpdate{Schedule: &s}, nil
		}})
}

// noSchedule returns the error for people of a request about a fleet's schedule.
func noSchedule(name string, err error) error {
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return failed(fmt.Errorf("the fleet %s has no schedule; `landbridge schedule %s` creates one", name, name))
	}
	return failed(err)
}

// shownSchedule holds what `landbridge schedule show` prints.
type shownSchedule struct {
	Fleet string    `json:"fleet"`
	Every string    `json:"every"`
	Note  string    `json:"note,omitempty"`
	Next  time.Time `json:"next,omitzero"`
	// Last lists the last checks, the newest first.
	Last []shownCheck `json:"last"`
}

// shownCheck holds one check. It has neither Result nor Error while it runs.
type shownCheck struct {
	At       time.Time        `json:"at,omitzero"`
	Workflow string           `json:"workflow"`
	Result   *api.DriftResult `json:"result,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// shownChecks limits how many of the last checks are shown.
const shownChecks = 5

func (a *app) scheduleShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show" + fleetArg, Args: cobra.MaximumNArgs(1), Short: "Show when a fleet is checked next, and what the last checks found",
		Example: "  landbridge schedule show prod\n  landbridge schedule show prod -o json | jq '.last[0].result.drifted'",
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			d, err := c.ScheduleClient().GetHandle(cmd.Context(), fleet.ScheduleID(name)).Describe(cmd.Context())
			if err != nil {
				return noSchedule(name, err)
			}
			s := readSchedule(cmd.Context(), c, name, d)
			return a.print(cmd.OutOrStdout(), s, func(w io.Writer) { printSchedule(w, s) })
		}}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	return cmd
}

func readSchedule(ctx context.Context, c client.Client, name string, d *client.ScheduleDescription) shownSchedule {
	s := shownSchedule{Fleet: name, Note: d.Schedule.State.Note, Last: []shownCheck{}}
	if len(d.Schedule.Spec.Intervals) > 0 {
		s.Every = d.Schedule.Spec.Intervals[0].Every.String()
	}
	if len(d.Info.NextActionTimes) > 0 {
		s.Next = d.Info.NextActionTimes[0]
	}
	recent := d.Info.RecentActions
	for i := len(recent) - 1; i >= 0 && len(s.Last) < shownChecks; i-- {
		if recent[i].StartWorkflowResult == nil {
			continue
		}
		check := shownCheck{At: recent[i].ActualTime, Workflow: recent[i].StartWorkflowResult.WorkflowID}
		// A check that still runs has no result yet, and its end would be waited for.
		if e, err := c.DescribeWorkflowExecution(ctx, check.Workflow, recent[i].StartWorkflowResult.FirstExecutionRunID); err != nil ||
			e.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			s.Last = append(s.Last, check)
			continue
		}
		check.Result = &api.DriftResult{}
		if err := outcome(ctx, c.GetWorkflow(ctx, check.Workflow, recent[i].StartWorkflowResult.FirstExecutionRunID), check.Result); err != nil {
			check.Result, check.Error = nil, ended(err).Error()
		}
		s.Last = append(s.Last, check)
	}
	return s
}

func printSchedule(w io.Writer, s shownSchedule) {
	fmt.Fprintf(w, "fleet %s is checked every %s, next at %s\n", s.Fleet, s.Every, s.Next.Local().Format(time.RFC3339))
	if s.Note != "" {
		fmt.Fprintln(w, s.Note)
	}
	fmt.Fprintln(w)
	t := newTable(w, "CHECKED", "WORKFLOW", "FOUND")
	for _, c := range s.Last {
		t.row(c.At.Local().Format(time.RFC3339), c.Workflow, c.found())
	}
	t.flush()
}

// found tells in a few words what a check found.
func (c shownCheck) found() string {
	switch r := c.Result; {
	case c.Error != "":
		return oneLine(c.Error)
	case r == nil:
		return "still runs"
	case r.Busy != nil:
		return busy(*r.Busy)
	case !r.Drifted:
		return "no drift"
	case r.Healed:
		return "drift, repaired"
	default:
		out := "drift: " + countDrift(*r)
		if r.NotHealed != "" {
			out += "; " + oneLine(r.NotHealed)
		}
		return out
	}
}

func (a *app) scheduleDelete() *cobra.Command {
	cmd := &cobra.Command{Use: "delete" + fleetArg, Args: cobra.MaximumNArgs(1), Short: "Stop checking a fleet; Temporal keeps the checks that ran",
		Example: "  landbridge schedule delete prod",
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			if err := c.ScheduleClient().GetHandle(cmd.Context(), fleet.ScheduleID(name)).Delete(cmd.Context()); err != nil {
				return noSchedule(name, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "fleet %s is no longer checked\n", name)
			return nil
		}}
	a.fileFlag(cmd)
	return cmd
}
