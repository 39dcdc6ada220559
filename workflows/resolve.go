package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// resolved returns the input of a workflow with the clusters that the sources of its fleet list.
// A fleet without sources is returned as it is, and no activity runs.
func resolved(ctx workflow.Context, in api.FleetInput) (api.FleetInput, error) {
	if len(in.Fleet.Spec.ClustersFrom) == 0 {
		return in, nil
	}
	run := workflow.GetInfo(ctx).WorkflowExecution.RunID
	found, err := fleetCall(ctx, preflight(), "clusters of the sources", a.ResolveClusters, api.ResolveClustersInput{ClusterRef: in.ManagementRef(run), Fleet: in.Fleet})
	if err != nil {
		return in, notResolved(ctx, err)
	}
	// What is missing in a list may be there at the next one: nothing is removed for it.
	if missing := append(found.Empty, found.Passed...); in.Prune && !in.DryRun && len(missing) > 0 {
		return in, fail(api.TypePreflight, "nothing was changed: --prune removes what no source lists, and the sources may not list all of it", missingFailures(found))
	}
	in.Fleet = in.Fleet.WithFound(found.Clusters)
	in.Passed = found.Passed
	return in, nil
}

// notResolved returns the error of a run whose clusters could not be listed. Nothing of it has
// begun.
func notResolved(ctx workflow.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	typ, why := describe(err)
	return fail(api.TypePreflight, "the clusters of the fleet could not be listed; nothing was changed", []api.Failure{{Type: typ, Message: strings.TrimSpace(why)}})
}

// missingFailures tells which sources list nothing, and which objects are no clusters now.
func missingFailures(found api.ResolveClustersResult) (out []api.Failure) {
	for _, s := range found.Empty {
		out = append(out, api.Failure{Type: api.TypePreflight, Message: "the source " + s + " lists no cluster"})
	}
	for _, s := range found.Passed {
		out = append(out, api.Failure{Type: api.TypePreflight, Message: s})
	}
	return out
}

// found tells by which objects the clusters of the fleet were found, and which of them no run
// has changed yet.
func (r *rollout) found() (out []api.FoundCluster) {
	for _, c := range r.in.Fleet.Spec.Clusters {
		if c.From != "" {
			out = append(out, api.FoundCluster{Name: c.Name, From: c.From, Joined: r.member(c.Name).answered && r.member(c.Name).check.Inventory == nil})
		}
	}
	return out
}

// gone tells why a cluster that some inventory has is not in the fleet any more.
func gone(c fleet.Cluster) string {
	if c.From == "" {
		return "left the fleet file"
	}
	return "left the fleet: no object that spec.clustersFrom selects names it any more, as " + c.From + " did"
}
