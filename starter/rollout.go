package main

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) rollout() *cobra.Command {
	var (
		prune, takeOver, detach, force, forced, forceVersion, yes bool
		planned                                                   string
		why                                                       fleet.Request
	)
	cmd := &cobra.Command{
		Use: "rollout", Args: cobra.NoArgs,
		Short: "Roll out a fleet, and show the progress",
		Long: "Roll out a fleet: root CA, Istio, gateways and remote secrets on every cluster and link of the fleet\n" +
			"file. A cluster or link that fails is undone, and the others go on.\n\n" +
			"A rollout can be repeated: it changes only what differs from the fleet file.\n" +
			"Ctrl-C leaves the rollout running.\n\n" +
			"With --prune or --force-conflicts it lists on a terminal what would go, and asks for the fleet's\n" +
			"name; elsewhere these need --yes.",
		Example: "  landbridge rollout -f fleet.yaml\n  landbridge rollout --plan fleet.plan   # what `plan --out fleet.plan` showed, or nothing\n  landbridge rollout --prune   # also remove what left the fleet file",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, err := a.rolloutOf(cmd, planned, forceVersion)
			if err != nil {
				return err
			}
			if err := requested(&why); err != nil {
				return err
			}
			if forced && !prune {
				return usage(errors.New("--force goes with --prune: a rollout removes nothing else"))
			}
			in.Prune, in.TakeOver, in.ForceConflicts, in.Force, in.Request = prune, takeOver, force, forced, why
			if prune || force {
				if err := a.confirm(cmd, yes, in.Fleet.Metadata.Name, a.wouldLose(cmd.Context(), in)); err != nil {
					return err
				}
			}
			return a.change(cmd, api.RolloutFleet, in, detach, a.showRollout)
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputName)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&prune, "prune", false, "remove clusters and links that left the fleet file")
	cmd.Flags().BoolVar(&force, "force-conflicts", false, "overwrite what somebody else changed since the last rollout; 'landbridge drift' shows it")
	forceVersionFlag(cmd, &forceVersion)
	cmd.Flags().StringVar(&planned, "plan", "", "do what the plan in this `file` says (plan --out), or nothing where something changed since")
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	yesFlag(cmd, &yes)
	forceFlag(cmd, &forced)
	cmd.Flags().BoolVar(&detach, "detach", false, "start the rollout and return at once")
	return cmd
}

// rolloutOf returns the input of a rollout: of the fleet file, or of a plan, which has the
// fleet file in it.
func (a *app) rolloutOf(cmd *cobra.Command, planned string, forceVersion bool) (api.FleetInput, error) {
	if planned == "" {
		f, err := a.load()
		if err != nil {
			return api.FleetInput{}, err
		}
		return api.FleetInput{Fleet: *f, ForceVersion: forceVersion}, nil
	}
	for _, flag := range []string{"file", "force-version"} {
		if cmd.Flags().Changed(flag) {
			return api.FleetInput{}, usage(fmt.Errorf("--%s does not go with --plan: the plan has what it was made with", flag))
		}
	}
	return readPlan(planned)
}

// change starts a workflow that changes a fleet, or joins the same one that runs. It
// shows the progress on stderr and, by show, the result on stdout. Where the context is
// canceled, the workflow goes on.
func (a *app) change(cmd *cobra.Command, typ string, in api.FleetInput, detach bool, show func(io.Writer, func(any) error, time.Duration) error) error {
	ctx := cmd.Context()
	var at client.Options
	c, err := a.temporal.Dial(ctx, nil, func(o *client.Options) { at = *o })
	if err != nil {
		return failed(err)
	}
	defer c.Close()
	began := time.Now()
	want, err := runs.NewChange(typ, in)
	if err != nil {
		return failed(err)
	}
	run, err := runs.Start(ctx, c, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }, want)
	if err != nil {
		return failed(err)
	}
	name := in.Fleet.Metadata.Name
	if url := connect.ChangesURL(ctx, c, at, name); url != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "in Temporal's UI: %s\n", url)
	}
	begun := startedRun{name, run.GetID(), run.GetRunID(), typ}
	if detach {
		return a.print(cmd.OutOrStdout(), begun, begun.print)
	}
	if err := follow(ctx, c, run, newShower(ctx, cmd.ErrOrStderr(), typ)); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "\ndetached: the %s goes on; `landbridge watch %s` or the same command shows it again\n", runs.Noun(typ), name)
			return &exitError{exitDetached, nil}
		}
		return withNext(explained(ctx, c, run, err), typ, name, in.Rotate.What())
	}
	if a.output == outputName {
		return a.print(cmd.OutOrStdout(), begun, nil)
	}
	if err := show(cmd.OutOrStdout(), func(out any) error { return runs.Outcome(ctx, run, out) }, time.Since(began)); err != nil {
		return failed(err)
	}
	return nil
}

// startedRun names a run that changes a fleet.
type startedRun struct {
	Fleet    string `json:"fleet"`
	Workflow string `json:"workflow"`
	Run      string `json:"run"`
	Type     string `json:"type"`
}

func (s startedRun) names() []string { return []string{s.Run} }

func (s startedRun) print(w io.Writer) {
	fmt.Fprintf(w, "%s of the fleet %s runs (workflow %s, run %s); `landbridge status %s` shows it\n", runs.Noun(s.Type), s.Fleet, s.Workflow, s.Run, s.Fleet)
}

// showRollout prints a rollout's result.
func (a *app) showRollout(w io.Writer, raw func(any) error, took time.Duration) error {
	return shows(a, printRollout)(w, raw, took)
}

func printRollout(w io.Writer, r api.FleetResult, took time.Duration) {
	t := newTable(w, "CLUSTER", "KUBERNETES", "SERVER NAME", "ADDRESS", "CHANGES")
	for _, c := range r.Clusters {
		t.row(c.Name, c.Version, c.TLSServerName, showAddress(c.Address), showCounts(c.Counts))
	}
	t.flush()
	showUnchecked(w, r.Clusters)
	showOpen(w, showUnits(r.Open))
	showChosen(w, r.IstioChosen)
	showUnlike(w, r.RootUnlike)
	fmt.Fprintf(w, "\nfleet %s: %s and %s rolled out in %s%s\n", r.Fleet, fleet.Count(len(r.Clusters), "cluster"), fleet.Count(len(r.Links), "link"),
		took.Round(100*time.Millisecond), showRoot(r.Root))
	switch {
	case len(r.Links) == 0:
	case r.Proven == len(r.Links):
		fmt.Fprintln(w, "every link is proven: a request goes through, and the source's istiod has read the target")
	default:
		fmt.Fprintf(w, "%d of %s proven; `landbridge verify` proves them at any time\n", r.Proven, fleet.Count(len(r.Links), "link"))
	}
	showEnding(w, r.Tokens)
	if len(r.Skipped) > 0 {
		fmt.Fprintf(w, "skipped by decision: %s\n", showUnits(r.Skipped))
	}
	if !r.Pruned.Empty() {
		fmt.Fprintf(w, "removed: %s\n", showStale(r.Pruned))
	}
	if !r.Stale.Empty() {
		fmt.Fprintf(w, "left the fleet file, and not removed yet: %s; `landbridge rollout --prune` removes them\n", showStale(r.Stale))
	}
}

// showRoot tells until when the root is good. A fleet with an existing CA has none.
func showRoot(root api.CertificateFacts) string {
	if root.Fingerprint == "" {
		return ""
	}
	return fmt.Sprintf("; the root CA %s ends on %s", root.Fingerprint, root.NotAfter.Format(time.DateOnly))
}

func showAddress(a fleet.Address) string {
	switch {
	case a.Hostname != "":
		return a.Hostname
	case len(a.IPs) > 0:
		return strings.Join(a.IPs, ",")
	}
	return "known once the gateway runs"
}

func showCounts(counts map[fleet.Action]int) string {
	var parts []string
	for a, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", a, n))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// showStale lists what left the fleet file.
func showStale(s fleet.Stale) string {
	var units []api.Unit
	for _, l := range s.Links {
		units = append(units, api.LinkOf(l))
	}
	for _, c := range s.Clusters {
		units = append(units, api.Member(c.Name))
	}
	return showUnits(units)
}

func showUnits(units []api.Unit) string {
	var parts []string
	for _, u := range units {
		parts = append(parts, u.String())
	}
	return strings.Join(parts, ", ")
}

// showOpen names the links that pods other than istiod's can use.
func showOpen(w io.Writer, links string) {
	if links != "" {
		fmt.Fprintf(w, "\n%s: %s\n", links, api.OpenToOthers)
	}
}

// showReadsSecrets names the sources that may read every Secret of their targets.
func showReadsSecrets(w io.Writer, sources []string) {
	if len(sources) > 0 {
		fmt.Fprintf(w, "\nsources that may read every Secret of their targets, as Istio's own reader does: %s\n", someOf(sources))
	}
}

// showUnchecked names the clusters whose server name nobody could check beforehand.
func showUnchecked(w io.Writer, clusters []api.ClusterDone) {
	for _, c := range clusters {
		if c.ServerNameUnchecked {
			fmt.Fprintf(w, "\ncluster %s: its kubeconfig leads through a front that ends TLS, so that %s could not be checked there; the proof of its links checks it\n", c.Name, c.TLSServerName)
		}
	}
}
