package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/preflight"
)

// InspectCluster finds the mesh that a cluster has already, for `landbridge init`.
func (a *Activities) InspectCluster(ctx context.Context, in api.InspectClusterInput) (api.InspectClusterResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.InspectClusterResult{}, err
	}
	m, err := preflight.FindMesh(ctx, c, in.Namespace, fleet.DefaultDataPlanePort)
	return api.InspectClusterResult{Mesh: m}, err
}
