package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// knownBy holds what a person knows of a fleet without its file.
type knownBy struct {
	fleet, queue string
	clusters     []string
}

func (k knownBy) given() bool { return k.fleet != "" || len(k.clusters) > 0 }

// clusterForm tells how a person names a cluster.
const clusterForm = "as `NAME=CONTEXT` with a context of the worker's default kubeconfig, or as " +
	"NAME=PATH#CONTEXT with a kubeconfig below the worker's --kubeconfig-dir (without CONTEXT: its current one); may be repeated"

// members returns the clusters that a person named.
func (k knownBy) members() (out []fleet.Cluster, err error) {
	for _, c := range k.clusters {
		name, at, ok := strings.Cut(c, "=")
		if !ok || name == "" || at == "" {
			return nil, usage(fmt.Errorf("--cluster: want NAME=CONTEXT or NAME=PATH#CONTEXT, got %q", c))
		}
		ref := fleet.Kubeconfig{Context: at}
		if path, context, ok := strings.Cut(at, "#"); ok {
			ref = fleet.Kubeconfig{Path: path, Context: context}
		}
		out = append(out, fleet.Cluster{Name: name, Kubeconfig: ref})
	}
	return out, nil
}

// load returns the fleet of that name with the clusters that the person named.
func (k knownBy) load() (*fleet.Fleet, error) {
	clusters, err := k.members()
	if err != nil {
		return nil, err
	}
	f, err := fleet.Known(k.fleet, k.queue, clusters)
	if err != nil {
		return nil, usage(err)
	}
	return f, nil
}

// nameOrFile makes a command take FLEET in place of a fleet file.
func (a *app) nameOrFile(cmd *cobra.Command, k *knownBy) {
	cmd.Use += fleetArg
	cmd.Args = cobra.MaximumNArgs(1)
	a.fileFlag(cmd)
	cmd.Flags().StringArrayVar(&k.clusters, "cluster", nil, "with FLEET, where Temporal does not know its clusters any more: one of them, "+clusterForm)
	cmd.Flags().StringVar(&k.queue, "task-queue", fleet.DefaultTaskQueue, "with --cluster: task queue of the workers that reach the clusters")
}

// fleetOf returns the input of a look at a fleet: that of the file or, with FLEET, one that
// only knows how its clusters are reached. Their inventories have the rest.
func (a *app) fleetOf(cmd *cobra.Command, args []string, k knownBy) (api.FleetInput, error) {
	switch {
	case len(args) > 0 && cmd.Flags().Changed("file"):
		return api.FleetInput{}, usage(fmt.Errorf("give a fleet's name or a fleet file, not both"))
	case len(args) == 0 && (k.given() || cmd.Flags().Changed("task-queue")):
		return api.FleetInput{}, usage(fmt.Errorf("--cluster and --task-queue go with FLEET, the name of the fleet (`kubectl -n %s get configmap %s -o yaml` shows it)", fleet.SystemNamespace, fleet.InventoryName))
	case len(args) == 0 && a.fileGiven(cmd):
		f, err := a.load()
		if err != nil {
			return api.FleetInput{}, err
		}
		return api.FleetInput{Fleet: *f}, nil
	}
	var err error
	if k.fleet, err = a.fleetName(cmd, args); err != nil {
		return api.FleetInput{}, err
	}
	if len(k.clusters) > 0 {
		f, err := k.load()
		if err != nil {
			return api.FleetInput{}, err
		}
		return api.FleetInput{Fleet: *f, FromInventories: true}, nil
	}
	c, err := a.temporal.Dial(cmd.Context(), nil, nil)
	if err != nil {
		return api.FleetInput{}, failed(err)
	}
	defer c.Close()
	f, err := reached(cmd.Context(), c, k.fleet)
	return api.FleetInput{Fleet: f, FromInventories: true}, err
}

// reached returns a fleet as far as Temporal knows how its clusters are reached: from its
// schedule, which each rollout refreshes, or else from the last run that changed it.
func reached(ctx context.Context, c client.Client, name string) (fleet.Fleet, error) {
	in, found, err := runs.ScheduledInput(ctx, c, name)
	if err == nil && !found {
		in, err = runs.LastInput(ctx, c, name)
	}
	switch {
	case runs.IsNotFound(err):
		return fleet.Fleet{}, usage(fmt.Errorf("this Temporal has no schedule and no run of a fleet %s that tell where its clusters are; name one of them with --cluster NAME=CONTEXT, or give the fleet file with -f", name))
	case err != nil:
		return fleet.Fleet{}, failed(err)
	}
	return in.Fleet.Reach(), nil
}
