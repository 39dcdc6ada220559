package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) cleanup() *cobra.Command {
	var (
		takeOver, detach, dryRun bool
		known                    knownBy
		why                      fleet.Request
	)
	cmd := &cobra.Command{
		Use: "cleanup", Args: cobra.NoArgs,
		Short: "Take everything away that Landbridge made for a fleet",
		Long: "Take everything away that Landbridge made for a fleet, in the reverse order of the rollout: the tunnels are\n" +
			"shut first. It needs the clusters and the fleet file, not the history of the rollout; with --fleet and\n" +
			"--cluster not even the fleet file, since the clusters remember it. A rollout that runs is canceled and\n" +
			"waited for. What was there before Landbridge stays, and so does what another fleet or a person made.",
		Example: "  landbridge cleanup -f fleet.yaml\n" +
			"  landbridge cleanup --dry-run                              # only list what would be removed\n" +
			"  landbridge cleanup --fleet prod --cluster east=east-ctx   # the fleet file is lost",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := api.FleetInput{TakeOver: takeOver, DryRun: dryRun}
			f, err := a.loadOrKnown(cmd, known)
			if err != nil {
				return err
			}
			if err := requested(&why); err != nil {
				return err
			}
			in.Fleet, in.FromInventories, in.Request = *f, known.given(), why
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
	cmd.Flags().StringVar(&known.fleet, "fleet", "", "name of a fleet whose fleet file is lost; the clusters remember the rest")
	cmd.Flags().StringArrayVar(&known.clusters, "cluster", nil, "with --fleet: NAME=CONTEXT of the worker's default kubeconfig, or NAME=PATH#CONTEXT\nof one below its --kubeconfig-dir (no CONTEXT: the current one); may be repeated")
	cmd.Flags().StringVar(&known.queue, "task-queue", fleet.DefaultTaskQueue, "with --fleet: task queue of the workers that reach the clusters")
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, "go ahead on clusters that a dead run of another Temporal holds")
	cmd.Flags().BoolVar(&detach, "detach", false, "start it and return")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be removed")
	return cmd
}

// knownBy is what a person still knows of a fleet whose file is lost.
type knownBy struct {
	fleet, queue string
	clusters     []string
}

func (k knownBy) given() bool { return k.fleet != "" || len(k.clusters) > 0 }

// loadOrKnown is the fleet of the file, or what is known of it.
func (a *app) loadOrKnown(cmd *cobra.Command, k knownBy) (*fleet.Fleet, error) {
	switch {
	case !k.given() && cmd.Flags().Changed("task-queue"):
		return nil, usage(fmt.Errorf("--task-queue goes with --fleet; the fleet file says its own"))
	case !k.given():
		return a.load()
	case cmd.Flags().Changed("file"):
		return nil, usage(fmt.Errorf("give a fleet file, or --fleet with --cluster; not both"))
	case k.fleet == "":
		return nil, usage(fmt.Errorf("--cluster goes with --fleet, the name of the fleet (`kubectl -n landbridge-system get configmap landbridge-fleet -o yaml` shows it)"))
	case len(k.clusters) == 0:
		return nil, usage(fmt.Errorf("--fleet goes with at least one --cluster NAME=CONTEXT; peers that its record names are found from there"))
	}
	if err := a.checkOutput(); err != nil {
		return nil, err
	}
	var clusters []fleet.Cluster
	for _, c := range k.clusters {
		name, at, ok := strings.Cut(c, "=")
		if !ok || name == "" || at == "" {
			return nil, usage(fmt.Errorf("--cluster: want NAME=CONTEXT or NAME=PATH#CONTEXT, got %q", c))
		}
		ref := fleet.Kubeconfig{Context: at}
		if path, context, ok := strings.Cut(at, "#"); ok {
			ref = fleet.Kubeconfig{Path: path, Context: context}
		}
		clusters = append(clusters, fleet.Cluster{Name: name, Kubeconfig: ref})
	}
	f, err := fleet.Known(k.fleet, k.queue, clusters)
	if err != nil {
		return nil, usage(err)
	}
	return f, nil
}

// printCleanup says what was removed; of a dry run, each object.
func printCleanup(w io.Writer, r api.CleanupResult, dryRun bool, took time.Duration) {
	verb := "removed"
	if dryRun {
		verb = "would remove"
		if len(r.Objects) > 0 {
			t := newTable(w, "CLUSTER", "KIND", "NAMESPACE", "NAME")
			for _, o := range r.Objects {
				t.row(o.Cluster, o.Kind, o.Namespace, o.Name)
			}
			t.flush()
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "fleet %s: %s %d objects from %d clusters (%s) in %s\n", r.Fleet, verb, r.Removed, len(r.Clusters), strings.Join(r.Clusters, ", "), took.Round(100*time.Millisecond))
}
