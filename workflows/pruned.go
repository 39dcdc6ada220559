package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Members are rolled out before the removal, so that their inventories still have what it
// took, and their istiods read it.

// forgetPruned has the members forget what was removed. One that cannot fails: somebody
// would look for what is gone in its inventory.
func (r *rollout) forgetPruned(ctx workflow.Context) {
	var members []*unit
	for _, c := range r.in.Fleet.Spec.Clusters {
		if u := r.member(c.Name); u.State == api.Done && !r.pruned.Near(c.Name).Empty() {
			members = append(members, u)
		}
	}
	inParallel(ctx, len(members), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		name, _ := members[i].Unit.Member()
		part := r.in.Fleet.Part(name, r.stale)
		_, err := fleetCall(ctx, stepInventory.policy(limitsOf(r.in.Fleet)), stepInventory.String(), a.EnsureInventory,
			api.EnsureInventoryInput{ClusterRef: r.ref(name), Part: part, Memory: r.memory(name, part)})
		if err != nil {
			f := failureOf(members[i].Unit, err)
			f.State = api.StateKept
			members[i].fail(f)
		}
	})
	r.show(ctx)
}

// proveAfterPrune proves the links that share a cluster with a removed one, and fails those
// that carry no requests any more. An istiod forgets more than a remote secret that is
// deleted, where it has a fault.
func (r *rollout) proveAfterPrune(ctx workflow.Context) {
	if r.in.Fleet.Spec.Rollout.SkipProof {
		return
	}
	var links []fleet.Link
	for _, l := range r.in.Fleet.Links() {
		shared := func(p fleet.Link) bool { return p.From == l.From || p.To == l.From || p.From == l.To || p.To == l.To }
		if r.get(api.LinkOf(l)).State == api.Done && slices.ContainsFunc(r.pruned.Links, shared) {
			links = append(links, l)
		}
	}
	if len(links) == 0 || ctx.Err() != nil {
		return
	}
	r.phase(ctx, "proof of the wave")
	for i, found := range r.proveAll(ctx, links, "pruned", r.in.Fleet.Spec.Rollout.ProofTimeout.Std()) {
		if found.Proven || ctx.Err() != nil {
			continue
		}
		u := r.get(api.LinkOf(links[i]))
		u.fail(api.Failure{Unit: u.Unit, Step: "proof", Type: api.TypeUnproven, State: api.StateKept,
			Message: fmt.Sprintf("it carried requests before what left the fleet file was removed, and breaks at %s now: %s", found.Hop, found.Why)})
		r.proven--
	}
	r.show(ctx)
}
