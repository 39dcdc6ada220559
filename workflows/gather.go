package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
)

// GatherFleet has every cluster's state read for a support bundle, and changes
// nothing. What was read is in the result of each GatherCluster: together it may
// be more than one result carries. It returns why clusters could not be read.
func GatherFleet(ctx workflow.Context, in FleetInput) (map[string]string, error) {
	info := workflow.GetInfo(ctx).WorkflowExecution
	clusters := in.Fleet.Spec.Clusters
	errs := make([]error, len(clusters))
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		errs[i] = runChild(ctx, GatheredBy(info.ID, clusters[i].Name), "gather "+clusters[i].Name,
			attributes(FleetKey.ValueSet(in.Fleet.Metadata.Name), ClusterKey.ValueSet(clusters[i].Name)),
			GatherCluster, activities.GatherClusterInput{ClusterRef: in.ref(clusters[i], info.RunID)}, nil)
	})
	failed := map[string]string{}
	for i, err := range errs {
		if err != nil {
			_, failed[clusters[i].Name] = describe(err)
		}
	}
	return failed, ctx.Err()
}

// GatheredBy is the ID of the workflow that has what was read of a cluster.
func GatheredBy(gather, cluster string) string { return gather + ".cluster." + cluster }

// GatherCluster reads one cluster.
func GatherCluster(ctx workflow.Context, in activities.GatherClusterInput) (activities.GatherClusterResult, error) {
	var out activities.GatherClusterResult
	return out, fleetCall(ctx, preflight(), "gather", a.GatherCluster, in, &out)
}
