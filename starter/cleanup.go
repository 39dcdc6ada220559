package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) cleanup() *cobra.Command {
	var (
		takeOver, detach, dryRun, yes, force bool
		known                                knownBy
		why                                  fleet.Request
	)
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove everything that Landbridge made for a fleet",
		Long: "Remove everything that Landbridge made for a fleet, in the reverse order of the rollout: links\n" +
			"first, then clusters, then the root CA. What existed before Landbridge stays, and so does what\n" +
			"another fleet or a person made. A fleet that has waves goes wave by wave, the last one first; with\n" +
			"spec.rollout.approval: waves each wave after the first waits for `landbridge approve`.\n\n" +
			"It needs the clusters, and the fleet file or FLEET, the name of a fleet that this Temporal knows.\n" +
			"Where the file is lost and Temporal has forgotten the fleet, FLEET with --cluster names some of its\n" +
			"clusters: their inventories have the rest. A rollout that runs is canceled, and has undone its open\n" +
			"steps before the cleanup begins.\n\n" +
			"Where pods are still in the mesh of a control plane that would go, nothing is removed without\n" +
			"--force: their sidecars would get no certificates and no endpoints any more.\n\n" +
			"On a terminal it lists what would go, and asks for the fleet's name; elsewhere it needs --yes.",
		Example: "  landbridge cleanup -f fleet.yaml\n" +
			"  landbridge cleanup --dry-run                              # only list what would be removed\n" +
			"  landbridge cleanup prod                               # by what its clusters remember\n" +
			"  landbridge cleanup prod --cluster east=east-ctx       # its file is lost, and Temporal's history",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := requested(&why); err != nil {
				return err
			}
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			in.TakeOver, in.DryRun, in.Force, in.Request = takeOver, dryRun, force, why
			if !dryRun {
				if err := in.Fleet.Protects(nil); err != nil {
					return usage(err)
				}
				if err := a.confirm(cmd, yes, in.Fleet.Metadata.Name, a.wouldRemove(cmd.Context(), in)); err != nil {
					return err
				}
			}
			return a.change(cmd, api.CleanupFleet, in, detach, shows(a, func(w io.Writer, r api.CleanupResult, took time.Duration) { printCleanup(w, r, dryRun, took) }))
		},
	}
	a.nameOrFile(cmd, &known)
	a.outputFlag(cmd, outputName)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	yesFlag(cmd, &yes)
	forceFlag(cmd, &force)
	cmd.Flags().BoolVar(&detach, "detach", false, "start the cleanup and return at once")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be removed")
	return cmd
}

// printCleanup writes how much was removed or, of a dry run, which objects would be.
func printCleanup(w io.Writer, r api.CleanupResult, dryRun bool, took time.Duration) {
	verb, gave := "removed", "gave"
	if dryRun {
		verb, gave = "would remove", "would give"
		if len(r.Objects) > 0 {
			printObjects(w, r.Objects)
			fmt.Fprintln(w)
		}
	}
	from := fleet.Count(len(r.Clusters), "cluster")
	if len(r.Clusters) > 0 {
		from += " (" + strings.Join(r.Clusters, ", ") + ")"
	}
	if r.Unscheduled {
		fmt.Fprintf(w, "the schedule of the fleet %s is deleted\n", r.Fleet)
	}
	did := verb + " " + fleet.Count(r.Removed, "object") + " from " + from
	if r.GivenBack > 0 {
		did += fmt.Sprintf(", %s %s back as before", gave, fleet.Count(r.GivenBack, "object"))
	}
	fmt.Fprintf(w, "fleet %s: %s in %s\n", r.Fleet, did, took.Round(100*time.Millisecond))
	if len(r.Skipped) > 0 {
		fmt.Fprintf(w, "skipped by decision, with the root CA: %s\n", showUnits(r.Skipped))
	}
	if r.Refused == "" {
		printWorkloads(w, r.Workloads)
	} else {
		fmt.Fprintf(w, "a cleanup is refused: %s\n", r.Refused)
	}
}

// printWorkloads names the namespaces whose pods lose their control plane.
func printWorkloads(w io.Writer, list []api.Workloads) {
	for _, l := range list {
		fmt.Fprintf(w, "%s of namespace %s in %s are in the mesh of a control plane that goes\n", fleet.Count(l.Pods, "pod"), l.Namespace, l.Cluster)
	}
}

func printObjects(w io.Writer, objects []api.ClusterObject) {
	if len(objects) == 0 {
		return
	}
	head := []string{"CLUSTER", "KIND", "NAMESPACE", "NAME"}
	notes := slices.ContainsFunc(objects, func(o api.ClusterObject) bool { return o.Note != "" })
	if notes {
		head = append(head, "NOTE")
	}
	t := newTable(w, head...)
	for _, o := range objects {
		cells := []string{o.Cluster, o.Kind, o.Namespace, o.Name}
		if notes {
			cells = append(cells, o.Note)
		}
		t.row(cells...)
	}
	t.flush()
}
