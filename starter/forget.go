package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) forget() *cobra.Command {
	var (
		yes, takeOver bool
		cluster       string
		why           fleet.Request
	)
	cmd := &cobra.Command{
		Use: "forget [FLEET]", Args: cobra.MaximumNArgs(1),
		Short: "Have a fleet forget a cluster that is lost for good",
		Long: "Have the members of a fleet forget a cluster that is lost for good: remote secrets, egress gateways,\n" +
			"tokens and policies of its links are removed from the others, and so is its place in their\n" +
			"inventories. What it still has is listed, and whose tokens could not be revoked. A cluster that\n" +
			"answers is refused: take it out of the fleet file and use `landbridge rollout --prune`.\n\n" +
			fleetOrFile + " Take the cluster out of the fleet file too, or the next rollout tries to roll it out.\n\n" +
			"It lists on a terminal what would go, and asks for the fleet's name; elsewhere it needs --yes.",
		Example: "  landbridge forget prod --cluster north --reason CHG-7\n  landbridge forget -f fleet.yaml --cluster north --reason CHG-7 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.destroying(cmd, args, &why)
			if err != nil {
				return err
			}
			in.Forget, in.TakeOver = cluster, takeOver
			if err := in.Fleet.Protects(nil); err != nil {
				return usage(err)
			}
			if err := a.confirm(cmd, yes, in.Fleet.Metadata.Name, a.wouldForget(cmd.Context(), in)); err != nil {
				return err
			}
			return a.change(cmd, api.ForgetFleet, in, false, shows(a, printForgotten))
		},
	}
	a.destroyFlags(cmd, &why, &yes)
	cmd.Flags().BoolVar(&takeOver, "take-over", false, takeOverUsage)
	cmd.Flags().StringVar(&cluster, "cluster", "", "`name` of the cluster that is lost (required)")
	_ = cmd.MarkFlagRequired("cluster")
	return cmd
}

// destroyFlags adds the flags of a command that removes a part of a fleet by name.
func (a *app) destroyFlags(cmd *cobra.Command, why *fleet.Request, yes *bool) {
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputName)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	requestFlags(cmd, why)
	_ = cmd.MarkFlagRequired("reason")
	yesFlag(cmd, yes)
}

// destroying returns the input of such a command: its fleet, and the reason that it needs.
func (a *app) destroying(cmd *cobra.Command, args []string, why *fleet.Request) (api.FleetInput, error) {
	if why.Reason = strings.TrimSpace(why.Reason); why.Reason == "" {
		return api.FleetInput{}, usage(errors.New("--reason is empty; give the reason, which is kept with the run"))
	}
	if err := requested(why); err != nil {
		return api.FleetInput{}, err
	}
	f, err := a.fleetToChange(cmd, args)
	if err != nil {
		return api.FleetInput{}, err
	}
	return api.FleetInput{Fleet: *f, Request: *why}, nil
}

// fleetOrFile says of which fleet a command shows or changes something.
const fleetOrFile = "FLEET is the fleet of the last run in this Temporal that was not refused; with -f it is that of a\n" +
	"fleet file."

// fleetToChange returns the fleet of the fleet file or, where only a name is given, that of the
// last run that changed it.
func (a *app) fleetToChange(cmd *cobra.Command, args []string) (*fleet.Fleet, error) {
	if cmd.Flags().Changed("file") || len(args) == 0 && a.fileGiven(cmd) {
		f, err := a.load()
		if err == nil && len(args) == 1 && f.Metadata.Name != args[0] {
			err = usage(fmt.Errorf("the fleet file %s is that of the fleet %s, not of %s", a.file, f.Metadata.Name, args[0]))
		}
		if err != nil {
			return nil, err
		}
		return a.whole(cmd.Context(), f)
	}
	name, err := a.fleetName(cmd, args)
	if err != nil {
		return nil, err
	}
	c, err := a.temporal.Dial(cmd.Context(), nil, nil)
	if err != nil {
		return nil, failed(err)
	}
	defer c.Close()
	in, err := runs.LastInput(cmd.Context(), c, name)
	if runs.IsNotFound(err) {
		err = fmt.Errorf("%w; give its fleet file with -f", &runs.UnknownError{Fleet: name})
	}
	if err != nil {
		return nil, failed(err)
	}
	f := in.Fleet
	if in.Forget != "" {
		f = f.Without(in.Forget)
	}
	return a.whole(cmd.Context(), &f)
}

// wouldForget lists what the others would lose.
func (a *app) wouldForget(ctx context.Context, in api.FleetInput) func(io.Writer) (bool, error) {
	return func(w io.Writer) (bool, error) {
		fmt.Fprintf(w, "looking at what the fleet %s has of cluster %s\n\n", in.Fleet.Metadata.Name, in.Forget)
		in.DryRun = true
		var r api.ForgetResult
		if err := a.look(ctx, api.ForgetFleet, in, &r, nil); err != nil {
			return false, err
		}
		printObjects(w, r.Objects)
		return len(r.Clusters) > 0, nil
	}
}

func printForgotten(w io.Writer, r api.ForgetResult, took time.Duration) {
	if len(r.Clusters) == 0 {
		fmt.Fprintf(w, "fleet %s: no other cluster remembers %s\n", r.Fleet, r.Cluster)
	} else {
		fmt.Fprintf(w, "fleet %s: %s is forgotten by %s, %s removed in %s\n", r.Fleet, r.Cluster, strings.Join(r.Clusters, ", "),
			fleet.Count(r.Removed, "object"), took.Round(100*time.Millisecond))
	}
	if len(r.Revoked) > 0 {
		fmt.Fprintf(w, "revoked: its tokens for %s\n", strings.Join(r.Revoked, ", "))
	}
	if len(r.Unrevoked) > 0 {
		fmt.Fprintf(w, "%s\n", attention.Styled("not revoked: the tokens of "+strings.Join(r.Unrevoked, ", ")+" for it, which it accepts if it ever runs again"))
	}
	fmt.Fprintf(w, "\n%s may still have:\n", r.Cluster)
	for _, t := range r.There {
		fmt.Fprintf(w, "  %s: %s\n", t.Unit, strings.Join(t.Steps, ", "))
	}
	fmt.Fprintln(w, "whoever has its intermediate CA can issue identities of the mesh until the root is another one")
	if r.KeptRoot {
		fmt.Fprintln(w, attention.Styled("it kept the fleet's root: without a copy of that Secret no cluster can be added, and no certificate renewed"))
	}
	fmt.Fprintf(w, "\ntake %s out of the fleet file: a rollout with it would roll it out anew\n", r.Cluster)
}
