package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// keepsStale tells why what left the fleet file may not be removed. It notes which pods need
// the control planes that would go, for the plan too.
func (r *rollout) keepsStale(ctx workflow.Context) []api.Failure {
	if r.stale.Empty() || !r.in.Prune && !r.in.DryRun {
		return nil
	}
	if err := r.in.Fleet.Protects(r.inventories()); err != nil && !r.in.DryRun {
		return []api.Failure{{Type: api.TypeInvalid, Message: err.Error()}}
	}
	found, failures := workloads(ctx, r.in, r.stale.Clusters, r.run)
	if r.needed = found; r.in.DryRun {
		return nil
	}
	return keepsWorkloads(r.in, found, failures)
}

// prune removes what left the fleet file, where the input has Prune, links before their
// clusters. A plan lists it instead. What could not be removed stays in the inventories,
// and is among the failures.
func (r *rollout) prune(ctx workflow.Context) error {
	if r.in.DryRun || !r.in.Prune || r.stale.Empty() {
		r.planRemovals()
		return nil
	}
	r.phase(ctx, "prune")
	left := fleet.Stale{}
	links, clusters := r.stale.Links, r.stale.Clusters
	r.remove(ctx, len(links), func(i int) api.Unit { return api.LinkOf(links[i]) }, func(ctx workflow.Context, i int) error {
		return r.gate.runChild(ctx, child{api.LinkOf(links[i]).WorkflowID(r.id), "remove " + api.LinkOf(links[i]).String(),
			attributes(api.FleetKey.ValueSet(r.Fleet), api.LinkKey.ValueSet(links[i].ID())), CleanupLink},
			api.CleanupLinkInput{Source: r.ref(links[i].From), Target: r.ref(links[i].To), Link: links[i], Rollout: r.in.Fleet.Spec.Rollout}, nil)
	})
	r.remove(ctx, len(clusters), func(i int) api.Unit { return api.Member(clusters[i].Name) }, func(ctx workflow.Context, i int) error {
		return r.gate.runChild(ctx, child{api.Member(clusters[i].Name).WorkflowID(r.id), "remove " + api.Member(clusters[i].Name).String(),
			attributes(api.FleetKey.ValueSet(r.Fleet), api.ClusterKey.ValueSet(clusters[i].Name)), CleanupCluster},
			cleanupInput(r.in, clusters[i], r.run), nil)
	})
	for _, l := range links {
		if r.get(api.LinkOf(l)).State == api.Done {
			r.pruned.Links = append(r.pruned.Links, l)
		} else {
			left.Links = append(left.Links, l)
		}
	}
	for _, c := range clusters {
		if r.member(c.Name).State == api.Done {
			r.pruned.Clusters = append(r.pruned.Clusters, c)
		} else {
			left.Clusters = append(left.Clusters, c)
		}
	}
	r.stale = left
	return ctx.Err()
}

// remove adds units that left the fleet file to the list, and removes them.
func (r *rollout) remove(ctx workflow.Context, n int, id func(int) api.Unit, work func(workflow.Context, int) error) {
	for i := range n {
		r.add(id(i)).Removal = true
	}
	inParallel(ctx, n, r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if ctx.Err() != nil {
			return
		}
		u := r.get(id(i))
		u.move(api.Running)
		r.show(ctx)
		u.end(work(ctx, i))
		r.show(ctx)
	})
}

// planRemovals adds what left the fleet file to a plan.
func (r *rollout) planRemovals() {
	if !r.in.DryRun {
		return
	}
	const note = "left the fleet file; --prune removes it"
	for _, l := range r.stale.Links {
		u := r.add(api.LinkOf(l))
		u.Removal, u.changes = true, []fleet.Change{{Action: fleet.Remove, Kind: "Link", Name: l.ID(), Note: note}}
	}
	for _, c := range r.stale.Clusters {
		u := r.add(api.Member(c.Name))
		note := note
		for _, w := range r.needed {
			if w.Cluster == c.Name {
				note += fmt.Sprintf("; %s of namespace %s in its mesh: needs --force", fleet.Count(w.Pods, "pod"), w.Namespace)
			}
		}
		u.Removal, u.changes = true, []fleet.Change{{Action: fleet.Remove, Kind: "Cluster", Name: c.Name, Note: note}}
	}
}
