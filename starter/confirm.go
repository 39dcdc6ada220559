package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// errNotConfirmed ends a command whose question was answered otherwise than by the
// fleet's name.
var errNotConfirmed = errors.New("that is not the fleet's name; nothing was changed")

// yesFlag adds --yes to a command that destroys.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVar(yes, "yes", false, "do not ask on the terminal; needed where there is none")
}

// forceFlag adds --force to a command that removes control planes.
func forceFlag(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force", false, "remove control planes that pods still need, too")
}

// confirm asks for the fleet's name before a command removes or overwrites something.
// show lists what would go, and tells whether there is anything: where there is nothing,
// nobody is asked. Where there is no terminal to ask on, --yes must be given.
func (a *app) confirm(cmd *cobra.Command, yes bool, name string, show func(io.Writer) (bool, error)) error {
	if yes {
		return nil
	}
	w := cmd.ErrOrStderr()
	if !canAsk(cmd.InOrStdin(), w) {
		return usage(fmt.Errorf("this removes, overwrites or restarts what the fleet %s has, and there is no terminal to ask on: give --yes, or look first (`landbridge plan`, `landbridge cleanup --dry-run`)", name))
	}
	some, err := show(coloured(w))
	if err != nil || !some {
		return err
	}
	fmt.Fprintf(w, "\nType the name of the fleet, %s, to go on: ", name)
	answer, err := readLine(cmd.Context(), cmd.InOrStdin())
	if err != nil {
		fmt.Fprintln(w)
		return failed(err)
	}
	if answer != name {
		return failed(errNotConfirmed)
	}
	return nil
}

// canAsk reports whether a person reads w and types into r.
func canAsk(r io.Reader, w io.Writer) bool {
	in, ok := r.(*os.File)
	out, also := w.(*os.File)
	return ok && also && isatty.IsTerminal(in.Fd()) && isatty.IsTerminal(out.Fd())
}

// readLine reads a line without its end. It returns an error when the context or the
// input ends before.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(r).ReadString('\n')
		read <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", errors.New("interrupted; nothing was changed")
	case a := <-read:
		if a.err != nil {
			return "", errors.New("the terminal ended; nothing was changed")
		}
		return a.line, nil
	}
}

// wouldRemove lists what a cleanup would remove.
func (a *app) wouldRemove(ctx context.Context, in api.FleetInput) func(io.Writer) (bool, error) {
	return func(w io.Writer) (bool, error) {
		fmt.Fprintf(w, "looking at what there is of the fleet %s\n\n", in.Fleet.Metadata.Name)
		in.DryRun = true
		var r api.CleanupResult
		if err := a.look(ctx, api.CleanupFleet, in, &r, nil); err != nil {
			return false, err
		}
		if r.Refused != "" {
			return false, usage(errors.New(r.Refused))
		}
		printObjects(w, r.Objects)
		printWorkloads(w, r.Workloads)
		return len(r.Objects) > 0, nil
	}
}

// wouldLose lists what a rollout would remove, or overwrite of somebody else's.
func (a *app) wouldLose(ctx context.Context, in api.FleetInput) func(io.Writer) (bool, error) {
	return func(w io.Writer) (bool, error) {
		fmt.Fprintf(w, "looking at what the rollout would remove or overwrite\n\n")
		in.DryRun = true
		var r api.FleetResult
		if err := a.look(ctx, api.PlanFleet, in, &r, nil); err != nil {
			return false, err
		}
		some := false
		for _, u := range r.Plan {
			lost := slices.DeleteFunc(u.Changes, func(c fleet.Change) bool {
				return !(c.Action == fleet.Remove && in.Prune || c.Drift && in.ForceConflicts)
			})
			if len(lost) > 0 {
				printUnit(w, u.Unit, lost)
				some = true
			}
		}
		return some, nil
	}
}
