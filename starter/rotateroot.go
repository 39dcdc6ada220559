package main

import (
	"fmt"
	"io"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// printRootChanged tells in which phase the fleet is, and what comes next.
func printRootChanged(w io.Writer, r api.FleetResult, took time.Duration) {
	c := r.RootChange
	if c == nil {
		return
	}
	fmt.Fprintf(w, "fleet %s: %s in all of %s, in %s\n", r.Fleet, c.To, fleet.Count(len(r.Clusters), "cluster"), took.Round(100*time.Millisecond))
	if r.Proven > 0 {
		fmt.Fprintf(w, "%s of links passed\n", fleet.Count(r.Proven, "proof"))
	} else {
		fmt.Fprintln(w, "no link was proven")
	}
	fmt.Fprintf(w, "  old root  %s\n  new root  %s\n", c.Old, c.Next)
	switch {
	case c.To == fleet.RootReplaced:
		fmt.Fprintln(w, "the old root is removed with its key; back the new one up with `landbridge ca export`")
	case c.To == fleet.RootAlone:
		fmt.Fprintln(w, "the new root is removed with its key")
	default:
		fmt.Fprintf(w, "next: `landbridge rotate %s --root` after %s, when every workload has renewed its certificate; `--undo` goes back\n", r.Fleet, c.OnAt.Local().Format(time.RFC3339))
	}
}

// nextOfRoot returns the commands among which a person chooses after a phase that did not end
// well, or nothing where the rotation was another one.
func nextOfRoot(fleetName, renews string) string {
	on, back := fmt.Sprintf("`landbridge rotate %s --root`", fleetName), fmt.Sprintf("`landbridge rotate %s --root --undo`", fleetName)
	switch renews {
	case api.RenewsRoot:
		return fmt.Sprintf("next: once the cause is gone, %s goes on, or %s goes back, until the last phase has begun; meanwhile every cluster trusts every other one", on, back)
	case api.RenewsRootUndo:
		return fmt.Sprintf("next: once the cause is gone, %s goes on, or %s goes forward again; meanwhile every cluster trusts every other one", back, on)
	}
	return ""
}
