package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
)

// InspectResult is what mesh each cluster has already.
type InspectResult struct {
	Clusters []InspectedCluster `json:"clusters"`
}

// InspectedCluster is one cluster; Why says why it could not be looked at.
type InspectedCluster struct {
	Name string          `json:"name"`
	Mesh activities.Mesh `json:"mesh,omitzero"`
	Why  string          `json:"why,omitempty"`
}

// InspectFleet finds out what meshes the clusters have already, for `landbridge
// init --existing`, and changes nothing.
func InspectFleet(ctx workflow.Context, in FleetInput) (InspectResult, error) {
	clusters, run := in.Fleet.Spec.Clusters, workflow.GetInfo(ctx).WorkflowExecution.RunID
	out := InspectResult{Clusters: make([]InspectedCluster, len(clusters))}
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		var found activities.InspectClusterResult
		err := fleetCall(ctx, preflight(), "1 inspect", a.InspectCluster, activities.InspectClusterInput{ClusterRef: in.ref(clusters[i], run)}, &found)
		out.Clusters[i] = InspectedCluster{Name: clusters[i].Name, Mesh: found.Mesh}
		if err != nil {
			_, out.Clusters[i].Why = describe(err)
		}
	})
	return out, ctx.Err()
}
