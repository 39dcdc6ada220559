package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// What left the fleet file is removed by a wave of its own. That is the last one, since a
// removal cannot be undone and what is rolled out can: nothing goes before the rest is proven.

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

// prunes tells whether this run removes what left the fleet file.
func (r *rollout) prunes() bool { return r.in.Prune && !r.in.DryRun }

// pruneFirst tells whether the removal is the wave before all others, not the one after them.
func (r *rollout) pruneFirst() bool { return r.in.Fleet.Spec.Rollout.Prune == fleet.PruneFirst }

// pruneWave returns the index of the wave that removes.
func (r *rollout) pruneWave() int {
	if r.pruneFirst() {
		return -1
	}
	return len(r.allWaves)
}

// listRemovals adds what left the fleet file to the units of a run that removes it, or that
// plans, and to its waves.
func (r *rollout) listRemovals() {
	if r.stale.Empty() || !r.in.Prune && !r.in.DryRun {
		return
	}
	wave := fleet.Wave{Name: fleet.PruneWave}
	for _, l := range r.stale.Links {
		r.addRemoval(api.LinkOf(l))
	}
	for _, c := range r.stale.Clusters {
		r.addRemoval(api.Member(c.Name))
		wave.Clusters = append(wave.Clusters, c.Name)
	}
	if len(r.waves) == 0 {
		return // one wave of all clusters, and there is nothing to show
	}
	if r.waves = slices.Clone(r.allWaves); r.pruneFirst() {
		r.waves = slices.Insert(r.waves, 0, wave)
	} else {
		r.waves = append(r.waves, wave)
	}
}

func (r *rollout) addRemoval(id api.Unit) {
	u := r.add(id)
	if u.Removal, u.wave = true, r.pruneWave(); len(r.waves) > 0 {
		u.Wave = fleet.PruneWave
	}
}

// prune removes what left the fleet file, where the input has Prune, links before their
// clusters, as a wave of its own. A plan lists it instead. What could not be removed stays
// in the inventories, and is among the failures.
func (r *rollout) prune(ctx workflow.Context) error {
	r.listRemovals() // a member that was retried may have been the only one that remembers something
	if !r.prunes() || r.stale.Empty() {
		r.planRemovals()
		return nil
	}
	goes := r.stale // what a member that is retried meanwhile remembers beside, nobody approved
	if begins, err := r.begins(ctx, r.pruneWave()); err != nil || !begins {
		return err
	}
	r.phase(ctx, "prune")
	links, clusters := goes.Links, goes.Clusters
	r.remove(ctx, len(links), func(i int) api.Unit { return api.LinkOf(links[i]) }, func(ctx workflow.Context, i int) error {
		return r.gate.removeLink(ctx, r.id, api.CleanupLinkInput{Source: r.ref(links[i].From), Target: r.ref(links[i].To), Link: links[i], Rollout: r.in.Fleet.Spec.Rollout}, &api.CleanupResult{})
	})
	r.remove(ctx, len(clusters), func(i int) api.Unit { return api.Member(clusters[i].Name) }, func(ctx workflow.Context, i int) error {
		return r.gate.runChild(ctx, child{api.Member(clusters[i].Name).WorkflowID(r.id), "remove " + api.Member(clusters[i].Name).String(),
			attributes(api.FleetKey.ValueSet(r.Fleet), api.ClusterKey.ValueSet(clusters[i].Name)), CleanupCluster},
			cleanupInput(r.in, clusters[i], r.run), nil)
	})
	r.notePruned(goes)
	if ctx.Err() == nil && !r.pruneFirst() { // else the waves do both
		r.forgetPruned(ctx)
		r.proveAfterPrune(ctx)
	}
	return ctx.Err()
}

// remove removes those of some units that nobody skipped.
func (r *rollout) remove(ctx workflow.Context, n int, id func(int) api.Unit, work func(workflow.Context, int) error) {
	inParallel(ctx, n, r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		u := r.get(id(i))
		if ctx.Err() != nil || u.State != api.Pending {
			return
		}
		u.move(api.Running)
		r.show(ctx)
		u.end(work(ctx, i))
		r.show(ctx)
	})
}

// notePruned tells what was removed from what is left.
func (r *rollout) notePruned(goes fleet.Stale) {
	for _, l := range goes.Links {
		if r.get(api.LinkOf(l)).State == api.Done {
			r.pruned.Links = append(r.pruned.Links, l)
		}
	}
	for _, c := range goes.Clusters {
		if r.member(c.Name).State == api.Done {
			r.pruned.Clusters = append(r.pruned.Clusters, c)
		}
	}
	r.stale = r.stale.Without(r.pruned)
}

// planRemovals adds what left the fleet file to a plan.
func (r *rollout) planRemovals() {
	if !r.in.DryRun {
		return
	}
	const removes = "; --prune removes it"
	for _, l := range r.stale.Links {
		r.get(api.LinkOf(l)).changes = []fleet.Change{{Action: fleet.Remove, Kind: "Link", Name: l.ID(), Note: "left the fleet file" + removes}}
	}
	for _, c := range r.stale.Clusters {
		note := gone(c) + removes
		for _, w := range r.needed {
			if w.Cluster == c.Name {
				note += fmt.Sprintf("; %s of namespace %s in its mesh: needs --force", fleet.Count(w.Pods, "pod"), w.Namespace)
			}
		}
		r.member(c.Name).changes = []fleet.Change{{Action: fleet.Remove, Kind: "Cluster", Name: c.Name, Note: note}}
	}
}
