package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/preflight"
)

// CheckCluster does step 1: it returns every problem that stands in the way of a
// rollout on a cluster, and changes nothing. Package preflight has the checks.
func (a *Activities) CheckCluster(ctx context.Context, in api.CheckClusterInput) (api.CheckClusterResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.CheckClusterResult{}, err
	}
	return preflight.Check(ctx, c, in, a.claim(ctx, in.ClusterRef))
}
