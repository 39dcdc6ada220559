package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// InspectFleet finds out which meshes the clusters have already, for `landbridge init
// --existing`, and changes nothing. The result tells why a cluster could not be read.
func InspectFleet(ctx workflow.Context, in api.FleetInput) (api.InspectResult, error) {
	clusters, run := in.Fleet.Spec.Clusters, workflow.GetInfo(ctx).WorkflowExecution.RunID
	out := api.InspectResult{Clusters: make([]api.InspectedCluster, len(clusters))}
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		found, err := fleetCall(ctx, preflight(), "1 inspect", a.InspectCluster, api.InspectClusterInput{ClusterRef: in.Ref(clusters[i], run)})
		out.Clusters[i] = api.InspectedCluster{Name: clusters[i].Name, Mesh: found.Mesh}
		if err != nil {
			_, out.Clusters[i].Why = describe(err)
		}
	})
	return out, ctx.Err()
}
