package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupLinks removes the objects of all links on one cluster, as their source and as
// their target. Its error is of TypeLeftOver.
func CleanupLinks(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	here := api.RemoveInput{ClusterRef: in.ClusterRef}
	r.removeUp(ctx, linkSteps, map[place]api.RemoveInput{onSource: here, onTarget: here}, in)
	return r.end(ctx)
}

// CleanupLink removes the objects of one link from its two clusters, or from the one that
// is not lost. Its error is of TypeLeftOver.
func CleanupLink(ctx workflow.Context, in api.CleanupLinkInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.Source, api.LinkOf(in.Link), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	where := map[place]api.RemoveInput{}
	if in.Link.From != in.Lost {
		where[onSource] = api.RemoveInput{ClusterRef: in.Source, Link: in.Link.ID()}
	}
	if in.Link.To != in.Lost {
		where[onTarget] = api.RemoveInput{ClusterRef: in.Target, Link: in.Link.ID()}
	}
	r.removeUp(ctx, linkSteps, where, api.CleanupInput{})
	return r.end(ctx)
}

// removeLink has a child remove one link, for the workflow of the fleet with that ID.
func (g *gate) removeLink(ctx workflow.Context, fleetWorkflow string, in api.CleanupLinkInput, result *api.CleanupResult) error {
	unit := api.LinkOf(in.Link)
	return g.runChild(ctx, child{unit.WorkflowID(fleetWorkflow), "remove " + unit.String(),
		attributes(api.FleetKey.ValueSet(in.Source.Fleet), api.LinkKey.ValueSet(in.Link.ID())), CleanupLink}, in, result)
}

// CleanupCluster undoes the steps of a member. CleanupLinks comes before it. Its error is
// of TypeLeftOver.
func CleanupCluster(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster), limits{Rollout: in.Rollout})
	if err != nil {
		return api.CleanupResult{}, err
	}
	r.removeUp(ctx, memberSteps, map[place]api.RemoveInput{onMember: {ClusterRef: in.ClusterRef}}, in)
	return r.end(ctx)
}

// removal undoes the steps of one unit, and goes on past failures.
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

// removeUp undoes the steps of a table from the last to the first, each on the cluster
// where it ran. An existing Istio or CA stays. The inventory, which is the first step,
// stays where something else is left: the cluster remembers its fleet.
func (r *removal) removeUp(ctx workflow.Context, t *table, where map[place]api.RemoveInput, in api.CleanupInput) {
	for at, s := range slices.Backward(t.steps) {
		here, reached := where[s.at]
		if s.undo == nil || !reached || s.part == ca && in.KeepCA || s.part == istio && in.KeepIstio {
			continue
		}
		if t == memberSteps && at == stepInventory.at && len(r.failures) > 0 {
			continue
		}
		r.remove(ctx, s, here)
	}
}

// remove undoes one step. For a cluster that is unreachable it only adds the step to
// what is left.
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

// end returns what was removed, and one error of TypeLeftOver that lists what was not.
func (r *removal) end(ctx workflow.Context) (api.CleanupResult, error) {
	switch {
	case ctx.Err() != nil:
		return r.result, ctx.Err()
	case len(r.failures) == 1:
		return r.result, failUnit(api.TypeLeftOver, r.failures[0])
	case len(r.failures) > 1:
		return r.result, fail(api.TypeLeftOver, fmt.Sprintf("%s: %s could not remove everything", r.unit, fleet.Count(len(r.failures), "step")), r.failures)
	}
	r.status.list[0].move(api.Done)
	r.status.show(ctx)
	return r.result, nil
}
