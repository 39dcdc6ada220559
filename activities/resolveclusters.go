package activities

import (
	"context"
	"errors"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/sources"
)

// ResolveClusters lists the clusters that the sources of a fleet file have, and sees that the
// fleet is valid with them. It reads the management cluster, and no other one.
func (a *Activities) ResolveClusters(ctx context.Context, in api.ResolveClustersInput) (api.ResolveClustersResult, error) {
	var out api.ResolveClustersResult
	c, err := a.Access.OpenManagement()
	if err != nil {
		return out, err
	}
	found, err := sources.List(ctx, c.Dynamic, in.Fleet.Spec.ClustersFrom)
	if err != nil {
		return out, err
	}
	for i, n := range found.Counts {
		if n == 0 {
			out.Empty = append(out.Empty, in.Fleet.Spec.ClustersFrom[i].String())
		}
	}
	out.Clusters, out.Passed = found.Clusters, found.Passed
	whole := in.Fleet.WithFound(out.Clusters)
	var wrong *fleet.InvalidError
	if err := whole.Validate(); errors.As(err, &wrong) {
		return out, &sources.InvalidError{Problems: wrong.Sentences(whole)}
	}
	return out, nil
}
