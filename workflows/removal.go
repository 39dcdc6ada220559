package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupLinks removes what all links have on one cluster, as source and as target.
func CleanupLinks(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	here := api.RemoveInput{ClusterRef: in.ClusterRef}
	r.removeUp(ctx, linkSteps, map[place]api.RemoveInput{onSource: here, onTarget: here}, in)
	return r.end(ctx)
}

// CleanupLink removes one link.
func CleanupLink(ctx workflow.Context, in api.CleanupLinkInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.Source, api.LinkOf(in.Link), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	r.removeUp(ctx, linkSteps, map[place]api.RemoveInput{
		onSource: {ClusterRef: in.Source, Link: in.Link.ID()},
		onTarget: {ClusterRef: in.Target, Link: in.Link.ID()}}, api.CleanupInput{})
	return r.end(ctx)
}

// CleanupCluster removes what a cluster has of its own.
func CleanupCluster(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	r.removeUp(ctx, memberSteps, map[place]api.RemoveInput{onMember: {ClusterRef: in.ClusterRef}}, in)
	return r.end(ctx)
}

// removal undoes the steps of one unit, past failures.
type removal struct {
	*unitRun
	failures []api.Failure
	result   api.CleanupResult
	lost     unreachable
}

func newRemoval(ctx workflow.Context, ref api.ClusterRef, unit api.Unit, l limits) (*removal, error) {
	u, err := newUnitRun(ctx, ref, unit, l)
	return &removal{unitRun: u, lost: unreachable{}}, err
}

// removeUp undoes the steps of a table from the last to the first, each where it ran.
// What belongs to a part that was there before stays. As long as something is left, so
// does the inventory, which is the first step: the cluster remembers its fleet.
func (r *removal) removeUp(ctx workflow.Context, t *table, where map[place]api.RemoveInput, in api.CleanupInput) {
	for at, s := range slices.Backward(t.steps) {
		if s.undo == nil || s.part == ca && in.KeepCA || s.part == istio && in.KeepIstio {
			continue
		}
		if t == memberSteps && at == stepInventory.at && len(r.failures) > 0 {
			continue
		}
		r.remove(ctx, s, where[s.at])
	}
}

// remove undoes one step. On a cluster that is unreachable it only names the step.
func (r *removal) remove(ctx workflow.Context, s tableStep, in api.RemoveInput) {
	if at, skip := r.lost[in.Cluster]; skip {
		r.failures[at].Left = append(r.failures[at].Left, s.name)
		return
	}
	out, err := call(ctx, r.unitRun, task[api.RemoveInput, fleet.Changes]{s.String(), patientCall(r.limits), s.undo}, in)
	noteRemoved(&r.result, in.ClusterRef, out.All())
	if err == nil {
		return
	}
	f := leftover(r.unit, s.name, err)
	if r.lost.note(in.Cluster, f.Type, len(r.failures)) {
		f.Left = []string{s.name}
	}
	r.failures = append(r.failures, f)
}

// end returns what was removed, and one error of TypeLeftOver for what was not.
func (r *removal) end(ctx workflow.Context) (api.CleanupResult, error) {
	switch {
	case ctx.Err() != nil:
		return r.result, ctx.Err()
	case len(r.failures) == 1:
		return r.result, failUnit(api.TypeLeftOver, r.failures[0])
	case len(r.failures) > 1:
		return r.result, fail(api.TypeLeftOver, fmt.Sprintf("%s: %d steps left something", r.unit, len(r.failures)), r.failures)
	}
	r.status.list[0].move(api.Done)
	r.status.show(ctx)
	return r.result, nil
}
