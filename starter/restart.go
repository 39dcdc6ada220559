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

func (a *app) restart() *cobra.Command {
	var (
		yes, takeOver bool
		cluster       string
		why           fleet.Request
	)
	cmd := &cobra.Command{
		Use: "restart [FLEET]", Args: cobra.MaximumNArgs(1),
		Short: "Restart the istiods of a cluster, and prove its links",
		Long: "Restart the istiods of a cluster, one Deployment after the other, wait until each is ready, and\n" +
			"prove the links of which the cluster is the source. This helps where `landbridge verify` says that\n" +
			"an istiod goes on with what it read before, or does not read a remote secret any more.\n\n" +
			"Sidecars and gateways keep their configuration and their connections meanwhile. Where an istiod has\n" +
			"one replica only, pods that start meanwhile wait for it.\n\n" +
			fleetOrFile + "\n" +
			"It asks for the fleet's name on a terminal; elsewhere it needs --yes.\n\n" +
			"Exit codes: 0 restarted, and every link is proven; 1 not restarted; 2 bad usage; 3 restarted, and\n" +
			"some links are not proven.",
		Example: "  landbridge restart prod --cluster east --reason INC-7\n  landbridge restart -f fleet.yaml --cluster east --reason INC-7 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.destroying(cmd, args, &why)
			if err != nil {
				return err
			}
			in.Restart, in.TakeOver = cluster, takeOver
			if _, ok := in.Fleet.Cluster(cluster); !ok {
				return usage(fmt.Errorf("the fleet %s has no cluster %q", in.Fleet.Metadata.Name, cluster))
			}
			if err := a.confirm(cmd, yes, in.Fleet.Metadata.Name, wouldRestart(in)); err != nil {
				return err
			}
			return a.change(cmd, api.RestartFleet, in, false, shows(a, printRestarted))
		},
	}
	a.destroyFlags(cmd, &why, &yes)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	cmd.Flags().StringVar(&cluster, "cluster", "", "`name` of the cluster whose istiods are restarted (required)")
	_ = cmd.MarkFlagRequired("cluster")
	return cmd
}

// wouldRestart tells what is restarted.
func wouldRestart(in api.FleetInput) func(io.Writer) (bool, error) {
	return func(w io.Writer) (bool, error) {
		c, _ := in.Fleet.Cluster(in.Restart)
		fmt.Fprintf(w, "every istiod in the namespace %s of cluster %s would be restarted\n", in.Fleet.Settings(c).Istio.Namespace, in.Restart)
		return true, nil
	}
}

func printRestarted(w io.Writer, r api.RestartResult, took time.Duration) {
	fmt.Fprintf(w, "fleet %s: %s of cluster %s restarted in %s\n", r.Fleet, strings.Join(r.Restarted, ", "), r.Cluster, took.Round(100*time.Millisecond))
	if len(r.Links) > 0 {
		printProof(w, api.VerifyResult{Links: r.Links})
	} else {
		fmt.Fprintln(w, "no link was proven; `landbridge verify` proves them at any time")
	}
}
