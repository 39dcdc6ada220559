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
		Use: "cleanup", Args: cobra.NoArgs,
		Short: "Remove everything that Landbridge made for a fleet",
		Long: "Remove everything that Landbridge made for a fleet, in the reverse order of the rollout: links\n" +
			"first, then clusters, then the root CA. What existed before Landbridge stays, and so does what\n" +
			"another fleet or a person made. A fleet that has waves goes wave by wave, the last one first; with\n" +
			"spec.rollout.approval: waves each wave after the first waits for `landbridge approve`.\n\n" +
			"It needs the clusters and the fleet file, but not the history of the rollout. Where the fleet file\n" +
			"is lost, --fleet and --cluster name the fleet and some of its clusters: their inventories have the\n" +
			"rest. A rollout that runs is canceled, and has undone its open steps before the cleanup begins.\n\n" +
			"Where pods are still in the mesh of a control plane that would go, nothing is removed without\n" +
			"--force: their sidecars would get no certificates and no endpoints any more.\n\n" +
			"On a terminal it lists what would go, and asks for the fleet's name; elsewhere it needs --yes.",
		Example: "  landbridge cleanup -f fleet.yaml\n" +
			"  landbridge cleanup --dry-run                              # only list what would be removed\n" +
			"  landbridge cleanup --fleet prod --cluster east=east-ctx   # the fleet file is lost",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := api.FleetInput{TakeOver: takeOver, DryRun: dryRun, Force: force}
			f, err := a.loadOrKnown(cmd, known)
			if err != nil {
				return err
			}
			if err := requested(&why); err != nil {
				return err
			}
			in.Fleet, in.FromInventories, in.Request = *f, known.given(), why
			if !dryRun {
				if err := f.Protects(nil); err != nil {
					return usage(err)
				}
				if err := a.confirm(cmd, yes, f.Metadata.Name, a.wouldRemove(cmd.Context(), in)); err != nil {
					return err
				}
			}
			return a.change(cmd, api.CleanupFleet, in, detach, func(w io.Writer, raw func(any) error, took time.Duration) error {
				var r api.CleanupResult
				if err := raw(&r); err != nil {
					return err
				}
				return a.print(w, r, func(w io.Writer) { printCleanup(w, r, dryRun, took) })
			})
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().StringVar(&known.fleet, "fleet", "", "name of a fleet whose fleet file is lost; needs --cluster")
	cmd.Flags().StringArrayVar(&known.clusters, "cluster", nil, "with --fleet: a cluster, "+clusterForm)
	cmd.Flags().StringVar(&known.queue, "task-queue", fleet.DefaultTaskQueue, "with --fleet: task queue of the workers that reach the clusters")
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	yesFlag(cmd, &yes)
	forceFlag(cmd, &force)
	cmd.Flags().BoolVar(&detach, "detach", false, "start the cleanup and return at once")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be removed")
	return cmd
}

// loadOrKnown returns the fleet of the file, or one of what a person knows of it.
func (a *app) loadOrKnown(cmd *cobra.Command, k knownBy) (*fleet.Fleet, error) {
	switch {
	case !k.given() && cmd.Flags().Changed("task-queue"):
		return nil, usage(fmt.Errorf("--task-queue goes with --fleet; a fleet file names its task queue itself"))
	case !k.given():
		return a.load()
	case cmd.Flags().Changed("file"):
		return nil, usage(fmt.Errorf("give a fleet file, or --fleet with --cluster; not both"))
	case k.fleet == "":
		return nil, usage(fmt.Errorf("--cluster goes with --fleet, the name of the fleet (`kubectl -n %s get configmap %s -o yaml` shows it)", fleet.SystemNamespace, fleet.InventoryName))
	case len(k.clusters) == 0:
		return nil, usage(fmt.Errorf("--fleet goes with at least one --cluster NAME=CONTEXT; its inventory names the other clusters of the fleet"))
	}
	if err := a.checkOutput(); err != nil {
		return nil, err
	}
	return k.load()
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
