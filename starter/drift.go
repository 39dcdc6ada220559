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
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) drift() *cobra.Command {
	var known knownBy
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show how the live fleet differs from the fleet file",
		Long: "Compare the live fleet with the fleet file, and change nothing: objects and Helm releases field by\n" +
			"field, load balancer addresses, certificates that end within 30 days, clusters and links that left\n" +
			"the fleet file, and the proof of every link. With FLEET, compare it with what was rolled out last,\n" +
			"as the inventories of its clusters have it. While a rollout or cleanup runs nothing is compared.\n\n" +
			"`landbridge rollout` repairs what differs. It overwrites what somebody else changed only with\n" +
			"--force-conflicts. `landbridge schedule` repeats this check.\n\n" +
			"Exit codes: 0 no difference; 1 the check failed; 2 bad usage or bad fleet file; 3 differences found.",
		Example: "  landbridge drift -f fleet.yaml\n  landbridge drift prod   # compare with what was rolled out last\n  landbridge drift -o json | jq .changes",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			var r api.DriftResult
			if err := a.look(cmd.Context(), api.DriftFleet, in, &r, func(c client.Client, id string) {
				withDetails(cmd.Context(), c, id+".plan", r.Changes)
			}); err != nil {
				return err
			}
			if err := a.print(cmd.OutOrStdout(), r, func(w io.Writer) { printDrift(w, r) }); err != nil {
				return failed(err)
			}
			switch {
			case r.Busy != nil:
				return failed(fmt.Errorf("%s, so nothing was compared; check again when it has ended", busy(*r.Busy)))
			case r.Drifted:
				return &exitError{exitPartly, nil}
			}
			return nil
		},
	}
	a.nameOrFile(cmd, &known)
	a.outputFlag(cmd)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	return cmd
}

// busy tells during what a check was made.
func busy(c api.LastChange) string {
	if c.Running {
		return fmt.Sprintf("a %s runs since %s", runs.Noun(c.Type), c.Since.Local().Format(time.RFC3339))
	}
	return fmt.Sprintf("a %s began at %s and has ended meanwhile", runs.Noun(c.Type), c.Since.Local().Format(time.RFC3339))
}

func printDrift(w io.Writer, r api.DriftResult) {
	if r.Busy != nil {
		return // the error tells it
	}
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
	if len(r.Differ) > 0 {
		fmt.Fprintf(w, "%s\n", attention.Styled("remember anything else than what was rolled out last, since that rollout did not reach them or somebody changed their inventory: "+strings.Join(r.Differ, ", ")))
	}
	showIstio(w, r.Istio)
	showUnlike(w, r.RootUnlike)
	showReadsSecrets(w, r.ReadsSecrets)
	showTokens(w, r.Tokens)
	is, from := "as the fleet file describes it", "the fleet file"
	if r.Applied != nil {
		is, from = "as it was rolled out last ("+showApplied(*r.Applied)+")", "what was rolled out last ("+showApplied(*r.Applied)+")"
	}
	if !r.Drifted {
		fmt.Fprintf(w, "fleet %s is %s\n", r.Fleet, is)
		return
	}
	fmt.Fprintf(w, "\nfleet %s differs from %s: %s\n", r.Fleet, from, r.Summary())
}

// showApplied tells which fleet file was rolled out, when, and on whose behalf.
func showApplied(a fleet.Applied) string {
	s := fmt.Sprintf("generation %d, %s, at %s", a.Generation, a.Digest, a.At.Local().Format(time.RFC3339))
	if why := a.Line(); why != "" {
		s += ", " + why
	}
	return s
}
