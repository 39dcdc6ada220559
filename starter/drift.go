package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) drift() *cobra.Command {
	cmd := &cobra.Command{
		Use: "drift", Args: cobra.NoArgs,
		Short: "Show how the live fleet differs from the fleet file",
		Long: "Compare the live fleet with the fleet file, and change nothing: objects and Helm releases field by\n" +
			"field, load balancer addresses, certificates that end within 30 days, clusters and links that left\n" +
			"the fleet file, and the proof of every link.\n\n" +
			"`landbridge rollout` repairs what differs. It overwrites what somebody else changed only with\n" +
			"--force-conflicts. `landbridge schedule` repeats this check.\n\n" +
			"Exit codes: 0 no difference; 1 the check failed; 2 bad usage or bad fleet file; 3 differences found.",
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
	showUnreachable(w, r.Unreachable)
	for _, e := range r.Expiring {
		fmt.Fprintf(w, "%s\n", attention.Styled(fmt.Sprintf("the certificate of %s (%s) ends on %s", e.Of, e.Fingerprint, e.NotAfter.Format(time.DateOnly))))
	}
	for _, l := range r.Unproven {
		fmt.Fprintf(w, "%s\n  %s\n", attention.Styled("link "+l.Link+" is not proven: the path breaks at "+l.Hop), l.Why)
	}
	if !r.Stale.Empty() {
		fmt.Fprintf(w, "left the fleet file, and not removed yet: %s\n", showStale(r.Stale))
	}
	showIstio(w, r.Istio)
	if !r.Drifted {
		fmt.Fprintf(w, "fleet %s is as the fleet file describes it\n", r.Fleet)
		return
	}
	fmt.Fprintf(w, "\nfleet %s differs from the fleet file: %s\n", r.Fleet, countDrift(r))
}

// countDrift tells how much differs, and leaves out what does not: "2 changed objects, 1
// unproven link".
func countDrift(r api.DriftResult) string {
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{
		{len(r.Unreachable), "unreachable cluster"}, {r.Differs, "changed object"}, {len(r.Expiring), "expiring certificate"}, {len(r.Unproven), "unproven link"},
		{len(r.Stale.Links), "stale link"}, {len(r.Stale.Clusters), "stale cluster"},
	} {
		if c.n > 0 {
			parts = append(parts, fleet.Count(c.n, c.noun))
		}
	}
	return strings.Join(parts, ", ")
}
