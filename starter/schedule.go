package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

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
			if every < fleet.LeastCheckEvery {
				return usage(fmt.Errorf("--every: want at least %s, got %s", fleet.LeastCheckEvery, every))
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
			if err := runs.SetSchedule(cmd.Context(), c, in, every); err != nil {
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

// noSchedule returns the error for people of a request about a fleet's schedule.
func noSchedule(name string, err error) error {
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return failed(fmt.Errorf("the fleet %s has no schedule; `landbridge schedule %s` creates one", name, name))
	}
	return failed(err)
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
			s, err := runs.ReadSchedule(cmd.Context(), c, name, shownChecks)
			if err != nil {
				return noSchedule(name, err)
			}
			return a.print(cmd.OutOrStdout(), s, func(w io.Writer) { printSchedule(w, s) })
		}}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	return cmd
}

func printSchedule(w io.Writer, s runs.Schedule) {
	fmt.Fprintf(w, "fleet %s is checked every %s, next at %s\n", s.Fleet, s.Every, s.Next.Local().Format(time.RFC3339))
	if s.Note != "" {
		fmt.Fprintln(w, s.Note)
	}
	fmt.Fprintln(w)
	t := newTable(w, "CHECKED", "WORKFLOW", "FOUND")
	for _, c := range s.Last {
		t.row(c.At.Local().Format(time.RFC3339), c.Workflow, foundBy(c))
	}
	t.flush()
}

// foundBy tells in a few words what a check found.
func foundBy(c runs.Check) string {
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
		out := "drift: " + r.Summary()
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
