// Command landbridge rolls out, watches and cleans up a fleet. It talks to Temporal
// only; the workers talk to the clusters. `init --from` alone reads a management cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/help"
	"github.com/landbridge/landbridge/internal/report"
	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

// The exit codes. docs/generated/reference.md shows the comments.
const (
	exitFailed   = 1 // failed
	exitUsage    = 2 // bad usage or bad fleet file; nothing was changed
	exitPartly   = 3 // partly done, or differences found; the output lists them
	exitDetached = 4 // the command was interrupted; the run goes on
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Main runs the command with these arguments, and returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var coded *exitError
	if !errors.As(err, &coded) {
		coded = &exitError{exitUsage, err} // from cobra: an unknown flag or command
	}
	var invalid *fleet.InvalidError
	switch {
	case errors.As(coded.err, &invalid):
		fmt.Fprintln(stderr, coded.err) // begins with file:line:column, for editors
	case coded.err != nil:
		fmt.Fprintln(stderr, paragraphs(stderr, program+": "+coded.err.Error()))
	}
	return coded.code
}

// exitError adds an exit code to an error. err is nil where the output has told
// everything.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed returns an error with the exit code 1, or 2 where it is a mistake in what was typed.
func failed(err error) error {
	var (
		wrong   *connect.AddressError
		refused *runs.RefusedError
	)
	if errors.As(err, &wrong) || errors.As(err, &refused) {
		return usage(err)
	}
	return &exitError{exitFailed, runs.Told(err)}
}

func usage(err error) error { return &exitError{exitUsage, err} }

// app holds the flags that commands share.
type app struct {
	temporal connect.Flags
	file     string
	output   string
}

func root() *cobra.Command {
	a := &app{temporal: connect.Flags{Identity: me()}}
	cmd := &cobra.Command{
		Use: program, Annotations: calledAs(os.Args[0]),
		Short: "Let the Istio control planes of a fleet read each other's private API servers",
		Long: "Landbridge lets the Istio control planes of a fleet of Kubernetes clusters read each other's\n" +
			"kube-apiserver without any API server being reachable from outside its own network. It runs as\n" +
			"workflows on Temporal; this command starts them and shows their progress.\n\n" +
			"Exit codes: 0 done; 1 failed; 2 bad usage or bad fleet file, nothing changed; 3 partly done, or\n" +
			"differences found; 4 interrupted, the run goes on.",
		Version: build.Version(), SilenceUsage: true, SilenceErrors: true,
	}
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.SetFlagErrorFunc(flagError)
	cmd.SetVersionTemplate("landbridge {{.Version}}\n")
	help.Wrap(cmd)
	addGroup(cmd, "Prepare a rollout:", a.init(), a.validate(), a.check(), a.plan(), a.render(), a.rbac(), codecKeys())
	addGroup(cmd, "Change a fleet:", a.rollout(), a.cleanup(), a.rotate(), a.forget(), a.revoke(), a.restart(), a.ca())
	addGroup(cmd, "Steer a rollout that runs:", a.steering()...)
	addGroup(cmd, "Watch and check a fleet:", a.list(), a.status(), a.watch(), a.history(), a.verify(), a.drift(), a.schedule(), a.report(), a.gather())
	const own = "This program and its workers:"
	addGroup(cmd, own, a.version(), a.workers(), schema(), man())
	cmd.SetHelpCommandGroupID(own)
	cmd.SetCompletionCommandGroupID(own)
	habits(cmd)
	a.completion(cmd)
	return cmd
}

// flagError names the flag that took the place of an old one, and says what a flag wants.
func flagError(_ *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bad     *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		old := "--" + unknown.GetSpecifiedName()
		if now, ok := fleet.Renamed(old); ok {
			err = fmt.Errorf("%s is now called %s", old, now)
		} else if slices.Contains([]string{"--context", "--kubeconfig", "--kube-context"}, old) {
			err = fmt.Errorf("there is no %s here: how each cluster is reached stands in the fleet file (spec.clusters[].kubeconfig, with path and context), and workers open it; `landbridge init --context` writes it there", old)
		}
	case errors.As(err, &bad):
		err = fmt.Errorf("--%s: %s", bad.GetFlag().Name, wanted(bad))
	}
	return usage(err)
}

// wanted says what a flag takes, and what it got.
func wanted(bad *pflag.InvalidValueError) string {
	switch bad.GetFlag().Value.Type() {
	case "duration":
		return fmt.Sprintf("want a duration such as 90s, 10m or 1h, got %q", bad.GetValue())
	case "int":
		return fmt.Sprintf("want a whole number, got %q", bad.GetValue())
	case "bool":
		return fmt.Sprintf("want true or false, or no value, got %q", bad.GetValue())
	}
	return errors.Unwrap(bad).Error()
}

func schema() *cobra.Command {
	return &cobra.Command{Use: "schema [fleet|report|crd]", Short: "Print the JSON schema of the fleet file or of a report, or the CRD of Fleets",
		Example: "  landbridge schema | jq .title\n  landbridge schema report\n  landbridge schema crd | kubectl apply -f -",
		Args:    cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{"fleet", "report", "crd"},
		RunE: func(cmd *cobra.Command, args []string) error {
			which := fleet.Schema
			switch {
			case len(args) == 1 && args[0] == "report":
				which = report.Schema
			case len(args) == 1 && args[0] == "crd":
				which = resource.CRD
			}
			_, err := cmd.OutOrStdout().Write(which)
			return err
		}}
}
