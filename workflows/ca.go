package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// InspectCA reads the fleet's root and the intermediate of each member, and changes
// nothing. What cannot be read is no error: the result tells why.
func InspectCA(ctx workflow.Context, in api.FleetInput) (api.CAResult, error) {
	out, err := inspectCA(ctx, in)
	if err != nil {
		return out, err
	}
	out.Root, err = fleetCall(ctx, preflight(), "root", a.CheckRoot, api.CheckRootInput{RootRef: in.RootRef(workflow.GetInfo(ctx).WorkflowExecution.RunID)})
	if err != nil {
		_, out.Root.Why = describeFor(api.Root(), err)
	}
	return out, ctx.Err()
}

// inspectCA reads the members' intermediates, and what they know of the root.
func inspectCA(ctx workflow.Context, in api.FleetInput) (api.CAResult, error) {
	run, clusters := workflow.GetInfo(ctx).WorkflowExecution.RunID, in.Fleet.Spec.Clusters
	out := api.CAResult{Fleet: in.Fleet.Metadata.Name, Clusters: make([]api.ClusterCA, len(clusters))}
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		out.Clusters[i].Name = clusters[i].Name
		found, err := fleetCall(ctx, preflight(), "intermediate", a.CheckIntermediate, api.CheckIntermediateInput{ClusterRef: in.Ref(clusters[i], run)})
		out.Clusters[i].CheckIntermediateResult = found
		if err != nil {
			_, out.Clusters[i].Why = describeFor(api.Member(clusters[i].Name), err)
		}
	})
	return out, ctx.Err()
}

// knownBy lists the roots that the members remember or run with, without doubles.
func knownBy(members []api.ClusterCA) (out []api.MemberRoot) {
	for _, m := range members {
		for _, known := range []fleet.KnownRoot{m.Known, {Fingerprint: m.Root}} {
			if known.Fingerprint != "" && !slices.ContainsFunc(out, func(o api.MemberRoot) bool { return o.Fingerprint == known.Fingerprint }) {
				out = append(out, api.MemberRoot{Cluster: m.Name, KnownRoot: known})
			}
		}
	}
	return out
}
