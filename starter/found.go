package main

import (
	"context"
	"fmt"
	"io"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// showFound tells which clusters the sources of the fleet list, by which objects, and which
// objects are none now.
func showFound(w io.Writer, r api.FleetResult) {
	if len(r.Found)+len(r.Passed) > 0 {
		fmt.Fprintln(w)
	}
	for _, c := range r.Found {
		what := "found"
		if c.Joined {
			what = "joins"
		}
		fmt.Fprintf(w, "cluster %s %s by %s\n", c.Name, what, plain(c.From))
	}
	for _, p := range r.Passed {
		fmt.Fprintln(w, attention.Styled("left out: "+plain(p)))
	}
}

// whole returns a fleet with the clusters that its sources list, for a command that has to know
// their names before it begins.
func (a *app) whole(ctx context.Context, f *fleet.Fleet) (*fleet.Fleet, error) {
	if len(f.Spec.ClustersFrom) == 0 {
		return f, nil
	}
	var r api.PreflightResult
	if err := a.look(ctx, api.CheckFleet, api.FleetInput{Fleet: *f, OnlyClusters: true}, &r, nil); err != nil {
		return nil, err
	}
	return r.Resolved, nil
}
