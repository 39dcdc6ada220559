package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/workflows"
)

func (a *app) plan() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "plan", Args: cobra.NoArgs,
		Short: "Say what a rollout would create, change, keep and remove, object by object",
		Long: "Say what a rollout would create, change, keep and remove, object by object. Nothing is written. It runs as\n" +
			"a workflow, since only workers reach the clusters, and so that every look is on record.",
		Example: "  landbridge plan -f fleet.yaml\n  landbridge plan --all            # also what stays as it is",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.load()
			if err != nil {
				return err
			}
			var r workflows.FleetResult
			if err := a.look(cmd.Context(), "PlanFleet", "plan", workflows.FleetInput{Fleet: *f, DryRun: true}, &r); err != nil {
				return err
			}
			return a.print(cmd.OutOrStdout(), r, func(w io.Writer) { printPlan(w, r, all) })
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().BoolVar(&all, "all", false, "list what stays as it is too")
	return cmd
}

// look runs a workflow that only looks at a fleet. It has an ID of its own, so
// that it is in nobody's way.
func (a *app) look(ctx context.Context, typ, verb string, in workflows.FleetInput, out any) error {
	c, err := a.temporal.Dial(ctx, nil, nil)
	if err != nil {
		return failed(err)
	}
	defer c.Close()
	name := in.Fleet.Metadata.Name
	run, err := connect.Execute(ctx, c, client.StartWorkflowOptions{
		ID: fleet.WorkflowID(name) + "." + verb + "." + uuid.NewString(), TaskQueue: in.Fleet.Spec.TaskQueue,
		StaticSummary:         typ + " " + name,
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.FleetKey.ValueSet(name)),
	}, typ, in)
	if err != nil {
		return failed(err)
	}
	return explained(ctx, c, run, run.Get(ctx, out))
}

// marks are what stands before each action.
var marks = map[fleet.Action]string{fleet.Create: "+", fleet.Update: "~", fleet.Keep: " ", fleet.Adopt: "~", fleet.Remove: "-"}

func printPlan(w io.Writer, r workflows.FleetResult, all bool) {
	total := map[fleet.Action]int{}
	for _, u := range r.Plan {
		fmt.Fprintln(w, u.Unit)
		shown := 0
		for _, c := range u.Changes {
			total[c.Action]++
			if c.Action == fleet.Keep && !all {
				continue
			}
			shown++
			fmt.Fprintf(w, "  %s %-6s  %s %s%s\n", marks[c.Action], c.Action, c.Kind, strings.TrimPrefix(c.Namespace+"/"+c.Name, "/"), note(c))
		}
		if shown == 0 {
			fmt.Fprintf(w, "    nothing to change (%d objects)\n", len(u.Changes))
		}
	}
	if total[fleet.Create]+total[fleet.Update]+total[fleet.Adopt]+total[fleet.Remove] == 0 {
		fmt.Fprintf(w, "\nnothing to do: all %d objects are as the fleet file says\n", total[fleet.Keep])
		return
	}
	fmt.Fprintf(w, "\nplan: %s\n", showCounts(total))
}

func note(c fleet.Change) string {
	switch {
	case c.Note == "":
		return ""
	case c.Action == fleet.Update:
		return "  (" + c.Note + " differs)"
	}
	return "  (" + c.Note + ")"
}
