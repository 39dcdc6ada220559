package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) plan() *cobra.Command {
	var (
		all, brief, exitCode, forceVersion bool
		out                                string
	)
	cmd := &cobra.Command{
		Use: "plan", Args: cobra.NoArgs,
		Short: "Show what a rollout would create, change, keep and remove",
		Long: "Show what a rollout would create, change, keep and remove, object by object, and change nothing.\n" +
			"Workers read the clusters, in a workflow that Temporal keeps. Where a cluster does not answer, the\n" +
			"plan is that of the others, with exit code 3.\n\n" +
			"It tells which fleet file was rolled out last, when, and for whom. With --out it is kept in a file,\n" +
			"and `landbridge rollout --plan FILE` does what was planned, or nothing where something changed.",
		Example: "  landbridge plan -f fleet.yaml\n  landbridge plan --all         # also list what stays as it is\n" +
			"  landbridge plan --exit-code   # exit code 3 where something would change",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.load()
			if err != nil {
				return err
			}
			in := api.FleetInput{Fleet: *f, DryRun: true, ForceVersion: forceVersion}
			var r api.FleetResult
			if err := a.look(cmd.Context(), api.PlanFleet, in, &r, func(c client.Client, id string) {
				in.Plan = api.PlanOf(r, time.Now())
				if !brief {
					withDetails(cmd.Context(), c, id, r.Plan)
				}
			}); err != nil {
				return err
			}
			if err := a.print(cmd.OutOrStdout(), r, func(w io.Writer) { printPlan(w, r, all) }); err != nil {
				return err
			}
			if out != "" {
				if err := writePlan(out, in); err != nil {
					return failed(fmt.Errorf("write the plan: %w", err))
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "the plan is in %s; `landbridge rollout --plan %s` does it, as long as it holds\n", out, out)
			}
			if exitCode && toDo(totals(r.Plan)) > 0 || len(r.Unreachable) > 0 {
				return &exitError{exitPartly, nil}
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	forceVersionFlag(cmd, &forceVersion)
	cmd.Flags().BoolVar(&all, "all", false, "also list objects that stay as they are")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with exit code 3 where something would change, for scripts")
	cmd.Flags().StringVar(&out, "out", "", "also keep the plan, with the fleet file, in this `file` for rollout --plan")
	cmd.Flags().BoolVar(&brief, "brief", false, "list objects without their fields")
	return cmd
}

// totals counts the objects of a plan by what becomes of them.
func totals(plan []api.PlannedUnit) map[fleet.Action]int {
	total := map[fleet.Action]int{}
	for _, u := range plan {
		for _, c := range u.Changes {
			total[c.Action]++
		}
	}
	return total
}

// showTotals writes how many objects are to be created, changed and removed, as people read it
// from other tools, and what else there is.
func showTotals(total map[fleet.Action]int) string {
	out := fmt.Sprintf("%d to create, %d to change, %d to remove", total[fleet.Create], total[fleet.Update], total[fleet.Remove])
	for _, more := range []struct {
		action fleet.Action
		words  string
	}{{fleet.Adopt, "to adopt"}, {fleet.Wait, "not ready yet"}, {fleet.Keep, "as they should be"}} {
		if n := total[more.action]; n > 0 {
			out += fmt.Sprintf(", %d %s", n, more.words)
		}
	}
	return out
}

// toDo counts what does not stay as it is.
func toDo(total map[fleet.Action]int) (n int) {
	for action, objects := range total {
		if action != fleet.Keep {
			n += objects
		}
	}
	return n
}

// look runs a workflow that only looks at a fleet. It has an ID of its own, so that it
// is in nobody's way. When it is done, then may ask for more.
func (a *app) look(ctx context.Context, typ string, in api.FleetInput, out any, then func(c client.Client, id string)) error {
	c, err := a.temporal.Dial(ctx, nil, nil)
	if err != nil {
		return failed(err)
	}
	defer c.Close()
	id, err := look(ctx, c, typ, in, out)
	if err == nil && then != nil {
		then(c, id)
	}
	return err
}

// look returns the ID of the workflow that looked.
func look(ctx context.Context, c client.Client, typ string, in api.FleetInput, out any) (string, error) {
	run, err := runs.Look(ctx, c, typ, in, out)
	if run == nil {
		return "", failed(err)
	}
	return run.GetID(), explained(ctx, c, run, err)
}

// marks holds the sign that stands before each action.
var marks = map[fleet.Action]string{fleet.Create: "+", fleet.Update: "~", fleet.Keep: " ", fleet.Adopt: "~", fleet.Remove: "-", fleet.Wait: "?"}

func printPlan(w io.Writer, r api.FleetResult, all bool) {
	total := totals(r.Plan)
	for _, u := range r.Plan {
		shown := slices.DeleteFunc(slices.Clone(u.Changes), func(c fleet.Change) bool { return c.Action == fleet.Keep && !all })
		printUnit(w, u.Unit, shown)
		if len(shown) == 0 {
			fmt.Fprintf(w, "    nothing to change (%s)\n", fleet.Count(len(u.Changes), "object"))
		}
	}
	showUnreachable(w, r.Unreachable)
	showFound(w, r)
	showChosen(w, r.IstioChosen)
	showUnlike(w, r.RootUnlike)
	showIstio(w, api.IstioOf(r.Clusters))
	showLast(w, r)
	showOpen(w, showUnits(r.Open))
	showReadsSecrets(w, r.ReadsSecrets)
	showEnding(w, r.Tokens)
	if toDo(total) == 0 && len(r.Unreachable) == 0 {
		fmt.Fprintf(w, "\nnothing to do: the fleet is as the fleet file describes it (%s)\n", fleet.Count(total[fleet.Keep], "object"))
		return
	}
	fmt.Fprintf(w, "\nplan: %s\n", showTotals(total))
	for _, advice := range r.Advice {
		fmt.Fprintf(w, "%s\n", attention.Styled(advice))
	}
	showUnchecked(w, r.Clusters)
}

// showLast tells which fleet file was rolled out last.
func showLast(w io.Writer, r api.FleetResult) {
	switch {
	case r.Last.Generation == 0:
		return // the plan shows that there is nothing yet
	case r.Applied.Same(r.Last):
		fmt.Fprintf(w, "\nrolled out last: this fleet file (%s)\n", showApplied(r.Last))
	default:
		fmt.Fprintf(w, "\nrolled out last: another fleet file (%s); this one is generation %d, %s\n", showApplied(r.Last), r.Applied.Generation, r.Applied.Digest)
	}
}

// showUnreachable names the members that nobody could look at.
func showUnlike(w io.Writer, unlike []string) {
	if len(unlike) > 0 {
		fmt.Fprintf(w, "%s\n", attention.Styled("the root stays as it was made, since a rollout does not change a root: "+strings.Join(unlike, "; ")+" as in the fleet file"))
	}
}

func showUnreachable(w io.Writer, list []api.Failure) {
	for _, f := range list {
		fmt.Fprintf(w, "%s\n", attention.Styled(f.Unit.String()+": "+f.Message))
		fmt.Fprintln(w, "  a rollout goes on without it and its links; `landbridge forget` is for one that is lost for good")
	}
}

// actionStyles holds the styles of what is created, changed and removed.
var actionStyles = map[fleet.Action]ansi.Style{fleet.Create: styles[api.Done], fleet.Update: attention, fleet.Adopt: attention, fleet.Remove: styles[api.Failed], fleet.Wait: attention}

// printUnit writes what becomes of some objects of a unit, under its name.
func printUnit(w io.Writer, unit api.Unit, changes []fleet.Change) {
	fmt.Fprintln(w, bold.Styled(unit.String()))
	for _, c := range changes {
		printChange(w, c)
	}
}

// printChange writes an object, and what becomes of it, field by field.
func printChange(w io.Writer, c fleet.Change) {
	object := c.Kind + " " + strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
	if c.Deleted {
		fmt.Fprintln(w, actionStyles[fleet.Remove].Styled("  - deleted  "+object)+"  (since the last rollout; a rollout creates it anew)")
		return
	}
	fmt.Fprintln(w, actionStyles[c.Action].Styled(fmt.Sprintf("  %s %-6s  %s", marks[c.Action], c.Action, object))+note(c))
	for _, f := range c.Fields {
		switch {
		case c.Action == fleet.Create:
			fmt.Fprintf(w, "      %s: %s\n", faint.Styled(f.Path), f.To)
		case f.From == "":
			fmt.Fprintf(w, "      %s: %s\n", f.Path, actionStyles[fleet.Create].Styled("+ "+f.To))
		default:
			fmt.Fprintf(w, "      %s: %s %s\n", f.Path, actionStyles[fleet.Remove].Styled("- "+f.From), actionStyles[fleet.Create].Styled("+ "+f.To))
		}
	}
}

// withDetails fills in the fields of each object. They are in the results of the
// workflows of each cluster and link only, so that no history has them twice.
func withDetails(ctx context.Context, c client.Client, plan string, units []api.PlannedUnit) {
	for _, u := range units {
		id := u.Unit.WorkflowID(plan)
		if id == plan {
			continue // the root has no workflow
		}
		var done fleet.Changes
		if err := runs.Outcome(ctx, c.GetWorkflow(ctx, id, ""), &done); err != nil {
			continue // a unit that left the fleet file has no workflow
		}
		for j, have := range u.Changes {
			at := slices.IndexFunc(done.Changes, func(c fleet.Change) bool {
				return c.Kind == have.Kind && c.Namespace == have.Namespace && c.Name == have.Name && c.Action == have.Action
			})
			if at >= 0 {
				u.Changes[j] = done.Changes[at]
				u.Changes[j].Deleted = have.Deleted
			}
		}
	}
}

// note returns in parentheses why an object changes, or nothing.
func note(c fleet.Change) string {
	switch {
	case c.Drift:
		by := c.ChangedBy.String()
		if by != "" {
			by = ", " + by
		}
		return attention.Styled("  (somebody else changed " + c.Note + by + "; --force-conflicts overwrites it)")
	case c.Note == "":
		return ""
	}
	return "  (" + c.Note + ")"
}
