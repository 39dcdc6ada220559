// Command landbridge rolls out, watches and cleans up a fleet. It talks to Temporal
// only; the workers talk to the clusters.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/help"
	"github.com/landbridge/landbridge/internal/report"
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
		fmt.Fprintln(stderr, "landbridge:", coded.err)
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

func failed(err error) error { return &exitError{exitFailed, err} }
func usage(err error) error  { return &exitError{exitUsage, err} }

// app holds the flags that commands share.
type app struct {
	temporal connect.Flags
	file     string
	output   string
}

func root() *cobra.Command {
	a := &app{}
	cmd := &cobra.Command{
		Use:   "landbridge",
		Short: "Let the Istio control planes of a fleet read each other's private API servers",
		Long: "Landbridge lets the Istio control planes of a fleet of Kubernetes clusters read each other's\n" +
			"kube-apiserver without any API server being reachable from outside its own network. It runs as\n" +
			"workflows on Temporal; this command starts them and shows their progress.\n\n" +
			"Exit codes: 0 done; 1 failed; 2 bad usage or bad fleet file, nothing changed; 3 partly done, or\n" +
			"differences found; 4 interrupted, the run goes on.",
		Version: build.Version(), SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	cmd.SetFlagErrorFunc(flagError)
	cmd.SetVersionTemplate("landbridge {{.Version}}\n")
	help.Wrap(cmd)
	addGroup(cmd, "Prepare a rollout:", a.init(), a.validate(), a.plan(), a.render(), rbac(), codecKeys(), schema())
	addGroup(cmd, "Change a fleet:", a.rollout(), a.cleanup(), a.rotate(), a.forget(), a.revoke(), a.ca())
	addGroup(cmd, "Steer a rollout that runs:", a.steering()...)
	addGroup(cmd, "Watch and check a fleet:", a.list(), a.status(), a.watch(), a.history(), a.verify(), a.drift(), a.schedule(), a.report(), a.gather())
	cmd.AddCommand(version())
	return cmd
}

// flagError names the flag that took the place of an old one.
func flagError(_ *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		old := "--" + unknown.GetSpecifiedName()
		if now, ok := fleet.Renamed(old); ok {
			err = fmt.Errorf("%s is now called %s", old, now)
		}
	}
	return usage(err)
}

// fileFlag adds -f.
func (a *app) fileFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.file, "file", "f", "fleet.yaml", "fleet file; - is stdin")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
}

// outputFlag adds -o.
func (a *app) outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.output, "output", "o", "", "json or yaml (default: text for people)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

// load reads the fleet file and checks -o.
func (a *app) load() (*fleet.Fleet, error) {
	if err := a.checkOutput(); err != nil {
		return nil, err
	}
	f, err := read(a.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage(fmt.Errorf("there is no fleet file %s; `landbridge init` writes one, -f names another", a.file))
	}
	if err != nil {
		return nil, usage(err)
	}
	return f, nil
}

// read reads a fleet file. The name - means what comes from stdin.
func read(file string) (*fleet.Fleet, error) {
	if file != "-" {
		return fleet.Load(file)
	}
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read the fleet file from stdin: %w", err)
	}
	return fleet.Parse(spoken(file), data)
}

func (a *app) checkOutput() error {
	if a.output != "" && a.output != "json" && a.output != "yaml" {
		return usage(fmt.Errorf("-o: want json or yaml, got %q; leave -o out to get text for people", a.output))
	}
	return nil
}

// print writes a result as JSON or YAML, as -o wants it, or calls people.
func (a *app) print(w io.Writer, v any, people func(io.Writer)) error {
	switch a.output {
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // what people read is no page
		e.SetIndent("", "  ")
		return e.Encode(v)
	case "yaml":
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	people(coloured(w))
	return nil
}

func version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), "landbridge", build.Version())
		}}
}

func schema() *cobra.Command {
	return &cobra.Command{Use: "schema [fleet|report]", Short: "Print the JSON schema of the fleet file, for editors, or of a report",
		Args: cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{"fleet", "report"},
		RunE: func(cmd *cobra.Command, args []string) error {
			which := fleet.Schema
			if len(args) == 1 && args[0] == "report" {
				which = report.Schema
			}
			_, err := cmd.OutOrStdout().Write(which)
			return err
		}}
}
