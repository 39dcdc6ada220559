package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// fileVariable names the fleet file where -f does not.
	fileVariable = "LANDBRIDGE_FILE"
	// defaultFile is looked for where nobody names another one.
	defaultFile = "fleet.yaml"
	// fleetArg stands for the fleet in the usage of a command.
	fleetArg = " [FLEET]"
)

// fileFlag adds -f.
func (a *app) fileFlag(cmd *cobra.Command) { a.namedFileFlag(cmd, "fleet file; - is stdin") }

// namedFileFlag adds -f with a usage of its own.
func (a *app) namedFileFlag(cmd *cobra.Command, usage string) {
	file := defaultFile
	if named := os.Getenv(fileVariable); named != "" {
		file = named
	}
	cmd.Flags().StringVarP(&a.file, "file", "f", file, usage+" (default $"+fileVariable+", or "+defaultFile+")")
	cmd.Flags().Lookup("file").DefValue = "" // the usage tells it
}

// load reads the fleet file.
func (a *app) load() (*fleet.Fleet, error) {
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

// fleetName returns the argument or, without one, the name in the fleet file or, where there
// is no file, that of the only fleet that this Temporal knows.
func (a *app) fleetName(cmd *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 1:
		return args[0], nil
	case a.fileGiven(cmd):
		f, err := a.load()
		if err != nil {
			return "", err
		}
		return f.Metadata.Name, nil
	}
	return a.onlyFleet(cmd.Context())
}

// fileGiven tells whether somebody named a fleet file, or one lies where it is looked for.
func (a *app) fileGiven(cmd *cobra.Command) bool {
	if cmd.Flags().Changed("file") || os.Getenv(fileVariable) != "" {
		return true
	}
	_, err := os.Stat(a.file)
	return err == nil
}

// onlyFleet returns the name of the fleet that this Temporal knows, where it is one.
func (a *app) onlyFleet(ctx context.Context) (string, error) {
	none := fmt.Sprintf("no FLEET is named, and there is no fleet file %s", a.file)
	c, err := a.temporal.Dial(ctx, nil, nil)
	if err != nil {
		return "", failed(fmt.Errorf("%s; %w", none, err))
	}
	defer c.Close()
	switch known, err := knownFleets(ctx, c); {
	case err != nil:
		return "", failed(err)
	case len(known) == 1:
		return known[0], nil
	case len(known) == 0:
		return "", usage(fmt.Errorf("%s; this Temporal knows no fleet either: `landbridge init` writes a fleet file, -f names one", none))
	default:
		return "", usage(fmt.Errorf("%s; name one of those that this Temporal knows: %s", none, strings.Join(known, ", ")))
	}
}

// recentChanges limits how many changes are read for the names of fleets.
const recentChanges = 2_000

// knownFleets lists the names of the fleets that Temporal knows. One that was removed counts
// only where there is no other.
func knownFleets(ctx context.Context, c client.Client) ([]string, error) {
	changes, err := pastChanges(ctx, c, anyFleet, recentChanges)
	if err != nil {
		return nil, err
	}
	var there, removed []string
	for _, ch := range changes {
		switch {
		case slices.Contains(there, ch.Fleet) || slices.Contains(removed, ch.Fleet):
		case ch.Type == api.CleanupFleet && ch.Status == "done":
			removed = append(removed, ch.Fleet)
		default:
			there = append(there, ch.Fleet)
		}
	}
	if len(there) == 0 {
		there = removed
	}
	slices.Sort(there)
	return there, nil
}
