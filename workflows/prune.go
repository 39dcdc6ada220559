package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// prune takes away what left the fleet file, where that is wished, and else
// only says what it is. Links go before their clusters. What could not be taken
// away stays remembered and is among the failures.
func (r *rollout) prune(ctx workflow.Context) error {
	if r.in.DryRun || !r.in.Prune || r.stale.Empty() {
		r.result.Stale = r.stale
		for _, l := range r.stale.Links {
			r.plan("link "+l.String(), []fleet.Change{{Action: fleet.Remove, Kind: "Link", Name: l.ID(), Note: "left the fleet file; --prune takes it away"}})
		}
		for _, c := range r.stale.Clusters {
			r.plan("cluster "+c.Name, []fleet.Change{{Action: fleet.Remove, Kind: "Cluster", Name: c.Name, Note: "left the fleet file; --prune takes it away"}})
		}
		return nil
	}
	r.status.phase(ctx, "prune")
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	left := fleet.Stale{}

	links := r.stale.Links
	errs := make([]error, len(links))
	inParallel(ctx, len(links), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		errs[i] = runChild(ctx, parent+".links."+links[i].From+"."+links[i].To, "remove link "+links[i].String(),
			attributes(api.FleetKey.ValueSet(r.in.Fleet.Metadata.Name), api.LinkKey.ValueSet(links[i].ID())),
			CleanupLink, api.CleanupLinkInput{Source: r.in.Ref(r.known(links[i].From), r.run), Target: r.in.Ref(r.known(links[i].To), r.run),
				Link: links[i], Rollout: r.in.Fleet.Spec.Rollout}, nil)
	})
	for i, err := range errs {
		if err != nil {
			left.Links = append(left.Links, links[i])
			r.failures = append(r.failures, failureOf("link "+links[i].String(), err))
			continue
		}
		r.result.Pruned.Links = append(r.result.Pruned.Links, links[i])
	}

	clusters := r.stale.Clusters
	errs = make([]error, len(clusters))
	inParallel(ctx, len(clusters), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		errs[i] = cleanupCluster(ctx, r.in, clusters[i], r.run, parent)
	})
	for i, err := range errs {
		if err != nil {
			left.Clusters = append(left.Clusters, clusters[i])
			r.failures = append(r.failures, failureOf("cluster "+clusters[i].Name, err))
			continue
		}
		r.result.Pruned.Clusters = append(r.result.Pruned.Clusters, clusters[i])
	}
	r.stale, r.result.Stale = left, left
	return ctx.Err()
}

// known finds a cluster in the fleet file, or among those that left it.
func (r *rollout) known(name string) fleet.Cluster {
	if c, ok := r.in.Fleet.Cluster(name); ok {
		return c
	}
	for _, c := range r.stale.Clusters {
		if c.Name == name {
			return c
		}
	}
	return fleet.Cluster{Name: name}
}
