package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// GatherFleet reads every cluster's state for a support bundle, and changes nothing. The
// result of each GatherCluster holds what was read, since all of it may be more than one
// result carries. Without a fleet file it reads the clusters that are remembered or, where
// none is, those that are known.
func GatherFleet(ctx workflow.Context, in api.FleetInput) (api.GatherFleetResult, error) {
	info := workflow.GetInfo(ctx).WorkflowExecution
	out := api.GatherFleetResult{Unread: map[string]string{}}
	if in.FromInventories {
		if known, _, err := appliedLast(ctx, in); err == nil {
			in, out.Fleet = known, &known.Fleet
		}
	}
	clusters := in.Fleet.Spec.Clusters
	errs := make([]error, len(clusters))
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		errs[i] = (&gate{}).runChild(ctx, child{api.Member(clusters[i].Name).WorkflowID(info.ID), "gather " + clusters[i].Name,
			attributes(api.FleetKey.ValueSet(in.Fleet.Metadata.Name), api.ClusterKey.ValueSet(clusters[i].Name)), GatherCluster}, api.GatherClusterInput{ClusterRef: in.Ref(clusters[i], info.RunID)}, nil)
	})
	for i, err := range errs {
		out.Clusters = append(out.Clusters, clusters[i].Name)
		if err != nil {
			_, out.Unread[clusters[i].Name] = describe(err)
		}
	}
	return out, ctx.Err()
}

// GatherCluster reads the state of one cluster for a support bundle.
func GatherCluster(ctx workflow.Context, in api.GatherClusterInput) (api.GatherClusterResult, error) {
	return fleetCall(ctx, preflight(), "gather", a.GatherCluster, in)
}
