package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) revoke() *cobra.Command {
	var (
		yes, takeOver bool
		cluster, link string
		why           fleet.Request
	)
	cmd := &cobra.Command{
		Use: "revoke [FLEET]", Args: cobra.MaximumNArgs(1),
		Short: "Shut a source out of its targets at once",
		Long: "Shut a source out: one link, or with --cluster every cluster that the source could read. Only the\n" +
			"targets must be reachable. Each removes the policy that lets the source through its east-west\n" +
			"gateway, and the source's token, and its API server is asked with that token until it refuses it.\n\n" +
			"New connections are refused from then on. One that is open, such as istiod's watch, lives until\n" +
			"Envoy has drained it, 45 s by Istio's default. Who has the CA of the source is not shut out of the\n" +
			"mesh by that: only another root does it.\n\n" +
			"The rest of the link stays, so that a later rollout of the same fleet file makes it anew;\n" +
			"`landbridge drift` shows it until then.\n\n" +
			fleetOrFile + "\n" +
			"It lists on a terminal what would go, and asks for the fleet's name; elsewhere it needs --yes.",
		Example: "  landbridge revoke prod --link east.west --reason INC-7\n  landbridge revoke prod --cluster east --reason INC-7 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.destroying(cmd, args, &why)
			if err != nil {
				return err
			}
			in.TakeOver = takeOver
			if in.Revoke, err = revoked(in.Fleet, cluster, link); err != nil {
				return usage(err)
			}
			if err := a.confirm(cmd, yes, in.Fleet.Metadata.Name, a.wouldRevoke(cmd.Context(), in)); err != nil {
				return err
			}
			return a.change(cmd, api.RevokeFleet, in, false, shows(a, printRevoked))
		},
	}
	a.destroyFlags(cmd, &why, &yes)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	cmd.Flags().StringVar(&cluster, "cluster", "", "`name` of the source to shut out everywhere")
	cmd.Flags().StringVar(&link, "link", "", "link to shut, as `FROM.TO`")
	cmd.MarkFlagsMutuallyExclusive("cluster", "link")
	cmd.MarkFlagsOneRequired("cluster", "link")
	return cmd
}

// revoked lists the links to shut. A source is shut out by every other cluster: one may
// still let it in by a link that left the fleet file.
func revoked(f fleet.Fleet, cluster, link string) (out []fleet.Link, err error) {
	known := func(name string) error {
		if _, ok := f.Cluster(name); !ok {
			return fmt.Errorf("the fleet %s has no cluster %q", f.Metadata.Name, name)
		}
		return nil
	}
	if link != "" {
		l, err := parseLink(link)
		if err == nil {
			err = known(l.To) // a source that left the fleet can be shut out all the same
		}
		return []fleet.Link{l}, err
	}
	for _, c := range f.Spec.Clusters {
		if c.Name != cluster {
			out = append(out, fleet.Link{From: cluster, To: c.Name})
		}
	}
	return out, nil
}

// wouldRevoke lists what lets the source in.
func (a *app) wouldRevoke(ctx context.Context, in api.FleetInput) func(io.Writer) (bool, error) {
	return func(w io.Writer) (bool, error) {
		fmt.Fprintf(w, "looking at what lets the source in\n\n")
		in.DryRun = true
		var r api.RevokeResult
		if err := a.look(ctx, api.RevokeFleet, in, &r, nil); err != nil {
			fmt.Fprintln(w, attention.Styled(err.Error())) // the others are shut all the same
			return true, nil
		}
		printObjects(w, r.Objects)
		return len(r.Objects) > 0, nil
	}
}

func printRevoked(w io.Writer, r api.RevokeResult, took time.Duration) {
	t := newTable(w, "LINK", "REMOVED", "ITS TOKEN")
	removed := 0
	for _, l := range r.Links {
		said := l.Note
		if l.Refused {
			said = "refused by the API server, " + l.After.Round(100*time.Millisecond).String() + " after it went"
		}
		t.row(l.Link, fleet.Count(l.Removed, "object"), said)
		removed += l.Removed
	}
	t.flush()
	fmt.Fprintf(w, "\nfleet %s: %s shut in %s: new connections are refused, open ones live until Envoy has drained them (39 s measured, 45 s by Istio's default)\n",
		r.Fleet, fleet.Count(len(r.Links), "link"), took.Round(100*time.Millisecond))
	for _, can := range r.StillCan {
		fmt.Fprintln(w, attention.Styled(can))
	}
	fmt.Fprintln(w, "a rollout of the same fleet file makes the links anew, and `landbridge drift` shows them until then: take them out of the file to keep them shut")
}
