package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/preflight"
	"github.com/landbridge/landbridge/internal/sail"
)

// CheckWorkloads counts the pods outside Istio's namespace that are in the mesh of a
// control plane that is to go. It changes nothing.
func (a *Activities) CheckWorkloads(ctx context.Context, in api.CheckWorkloadsInput) (api.CheckWorkloadsResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.CheckWorkloadsResult{}, err
	}
	revisions, err := sail.Revisions(ctx, c, in.Istio)
	if err != nil {
		return api.CheckWorkloadsResult{}, err
	}
	found, err := preflight.FindWorkloads(ctx, c, in.Namespace, revisions)
	for i := range found {
		found[i].Cluster = in.Cluster
	}
	return api.CheckWorkloadsResult{Workloads: found}, err
}
