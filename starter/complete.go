package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// completionTimeout bounds how long a shell waits for names.
const completionTimeout = 3 * time.Second

// shownRuns limits how many runs a shell offers.
const shownRuns = 20

// completion says for each command and each flag what a shell completes: names of fleets, of
// their clusters, links, waves and runs, and files only where a file is wanted.
func (a *app) completion(cmd *cobra.Command) {
	switch {
	case strings.Contains(cmd.Use, "FLEET"):
		cmd.ValidArgsFunction = a.completeFleet
	case strings.Contains(cmd.Use, "FILE"):
		cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case strings.Contains(cmd.Use, "DIRECTORY"):
		cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { a.completeFlag(cmd, f) })
	for _, sub := range cmd.Commands() {
		a.completion(sub)
	}
}

func (a *app) completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	var names cobra.CompletionFunc
	switch f.Name {
	case "file":
		_ = cmd.MarkFlagFilename(f.Name, "yaml", "yml")
	case "plan", "out", "junit", "kubeconfig", "management-kubeconfig", "identity", "passphrase-file", "codec-key-file":
		names = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault) // any file
	case "kubeconfig-dir", "output-dir":
		names = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case "from":
		names = cobra.FixedCompletions(fleet.Sources, cobra.ShellCompDirectiveNoFileComp)
	case "link":
		names = a.completeUnits(linkNames)
	case "wave":
		names = a.completeUnits(waveNames)
	case "run":
		names = a.completeRun
	case "cluster":
		if f.Value.Type() == "string" { // the others want NAME=CONTEXT
			names = a.completeUnits(memberNames)
		}
	}
	if names != nil {
		_ = cmd.RegisterFlagCompletionFunc(f.Name, names)
	}
}

// completing calls find with a Temporal, as far as one answers soon.
func (a *app) completing(cmd *cobra.Command, find func(context.Context, client.Client) ([]cobra.Completion, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	c, err := a.temporal.Dial(ctx, nil, nil)
	if err == nil {
		defer c.Close()
		var out []cobra.Completion
		if out, err = find(ctx, c); err == nil {
			return out, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cobra.CompDebugln(err.Error(), false)
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeFleet(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completing(cmd, knownFleets)
}

// completeUnits offers names from the fleet file or, with FLEET, from the file of its last run.
func (a *app) completeUnits(names func(fleet.Fleet) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 && a.file != "-" && a.fileGiven(cmd) {
			f, err := a.load()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(*f), cobra.ShellCompDirectiveNoFileComp
		}
		return a.completing(cmd, func(ctx context.Context, c client.Client) ([]cobra.Completion, error) {
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return nil, err
			}
			in, err := runs.LastInput(ctx, c, name)
			return names(in.Fleet), err
		})
	}
}

// completeRun offers the IDs of the last runs that changed a fleet.
func (a *app) completeRun(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completing(cmd, func(ctx context.Context, c client.Client) (out []cobra.Completion, err error) {
		name, err := a.fleetName(cmd, args)
		if err != nil {
			return nil, err
		}
		changes, err := pastChanges(ctx, c, changesOf(name), shownRuns)
		for _, ch := range changes {
			out = append(out, cobra.CompletionWithDesc(ch.Run, fmt.Sprintf("%s %s, %s", runs.Noun(ch.Type), ch.state(), ch.Started.Local().Format(time.DateTime))))
		}
		return out, err
	})
}

func memberNames(f fleet.Fleet) (out []string) {
	for _, c := range f.Spec.Clusters {
		out = append(out, c.Name)
	}
	return out
}

func linkNames(f fleet.Fleet) (out []string) {
	for _, l := range f.Links() {
		out = append(out, l.From+"."+l.To)
	}
	return out
}

func waveNames(f fleet.Fleet) (out []string) {
	for _, w := range f.Spec.Rollout.Waves {
		out = append(out, w.Name)
	}
	return out
}
