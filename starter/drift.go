package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) drift() *cobra.Command {
	cmd := &cobra.Command{
		Use: "drift", Args: cobra.NoArgs,
		Short: "Say in what the live fleet is not what the fleet file says; exit code 3 where it is not",
		Long: "Compare the live fleet with the fleet file: objects and Helm releases field by field, load balancer addresses,\n" +
			"certificates that end within 30 days, what left the fleet file, and the proof of every link. Nothing is\n" +
			"written. `landbridge rollout` does what the fleet file says; what somebody else changed it leaves alone, unless\n" +
			"it is told to --force-conflicts. `landbridge schedule` does this again and again.",
		Example: "  landbridge drift -f fleet.yaml\n  landbridge drift -o json | jq .changes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.load()
			if err != nil {
				return err
			}
			var r api.DriftResult
			if err := a.look(cmd.Context(), api.DriftFleet, api.FleetInput{Fleet: *f}, &r, func(c client.Client, id string) {
				withDetails(cmd.Context(), c, id+".plan", r.Changes)
			}); err != nil {
				return err
			}
			if err := a.print(cmd.OutOrStdout(), r, func(w io.Writer) { printDrift(w, r) }); err != nil {
				return failed(err)
			}
			if r.Drifted {
				return &exitError{exitPartly, nil}
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	return cmd
}

func printDrift(w io.Writer, r api.DriftResult) {
	for _, u := range r.Changes {
		fmt.Fprintln(w, bold.Styled(u.Unit.String()))
		for _, c := range u.Changes {
			printChange(w, c)
		}
	}
	for _, e := range r.Expiring {
		fmt.Fprintf(w, "%s\n", attention.Styled(fmt.Sprintf("the certificate of %s (%s) ends on %s", e.Of, e.Fingerprint, e.NotAfter.Format(time.DateOnly))))
	}
	for _, l := range r.Unproven {
		fmt.Fprintf(w, "%s\n  %s\n", attention.Styled("link "+l.Link+" is not proven: it breaks at "+l.Hop), l.Why)
	}
	if !r.Stale.Empty() {
		fmt.Fprintf(w, "left the fleet file and still there: %s\n", showStale(r.Stale))
	}
	if !r.Drifted {
		fmt.Fprintf(w, "fleet %s is what the fleet file says\n", r.Fleet)
		return
	}
	fmt.Fprintf(w, "\nfleet %s is not what the fleet file says: %s, %s, %s\n", r.Fleet, fleet.Count(r.Differs, "object"), fleet.Count(len(r.Expiring), "certificate"), fleet.Count(len(r.Unproven), "unproven link"))
}
