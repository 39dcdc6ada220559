package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// A wave changes control planes that have links with clusters of later waves, too. These
// links were there before and are rolled out later, so that nobody would see that the wave
// broke them. What carried requests before the wave is proven again after it.

// across lists the links between a member of wave n and one of a later wave that both
// remember.
func (r *rollout) across(n int) (out []fleet.Link) {
	remembers := func(name string, l fleet.Link) bool {
		inv := r.member(name).check.Inventory
		return inv != nil && slices.Contains(inv.Links(), l)
	}
	for _, l := range r.in.Fleet.Links() {
		from, to := r.member(l.From), r.member(l.To)
		if min(from.wave, to.wave) == n && max(from.wave, to.wave) > n && !from.State.IsFailure() && !to.State.IsFailure() &&
			remembers(l.From, l) && remembers(l.To, l) {
			out = append(out, l)
		}
	}
	return out
}

// rememberProven notes which of the links of old that wave n touches carry requests before
// it begins. Only these can be broken by it.
func (r *rollout) rememberProven(ctx workflow.Context, n int) {
	r.carrying = nil
	if r.in.DryRun || r.in.Fleet.Spec.Rollout.SkipProof {
		return
	}
	links := r.across(n)
	for i, found := range r.proveAll(ctx, links, fmt.Sprintf("before.%d", n), 0) {
		if found.Proven {
			r.carrying = append(r.carrying, links[i])
		}
	}
}

// proveWave proves what rememberProven noted for wave n, and fails those members of the
// wave whose links do not carry requests any more. Their changes stay.
func (r *rollout) proveWave(ctx workflow.Context, n int) {
	links := slices.DeleteFunc(r.across(n), func(l fleet.Link) bool { return !slices.Contains(r.carrying, l) })
	if len(links) == 0 || ctx.Err() != nil {
		return
	}
	r.phase(ctx, "proof of the wave")
	broken := map[*unit][]string{}
	for i, found := range r.proveAll(ctx, links, fmt.Sprintf("after.%d", n), r.in.Fleet.Spec.Rollout.ProofTimeout.Std()) {
		if found.Proven {
			continue
		}
		u := r.member(links[i].From)
		if u.wave != n {
			u = r.member(links[i].To)
		}
		broken[u] = append(broken[u], fmt.Sprintf("%s breaks at %s: %s", links[i], found.Hop, found.Why))
	}
	if ctx.Err() != nil {
		return
	}
	for _, u := range r.list { // in the fleet's order
		if why := broken[u]; len(why) > 0 && u.State == api.Done {
			u.fail(api.Failure{Unit: u.Unit, Step: "proof", Type: api.TypeUnproven, State: api.StateKept,
				Message: "links that carried requests before this wave do not any more: " + strings.Join(why, "; ")})
		}
	}
	r.show(ctx)
}

// proveAll proves links, by one child per source, and returns what was found in their
// order.
func (r *rollout) proveAll(ctx workflow.Context, links []fleet.Link, when string, patience time.Duration) []api.CheckLinkResult {
	out := make([]api.CheckLinkResult, len(links))
	sources := fleet.BySource(links)
	inParallel(ctx, len(sources), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		from := sources[i][0].From
		in := toVerify(r.in.Fleet, r.ref(from), sources[i])
		in.Patience = patience
		var found []api.CheckLinkResult
		err := r.gate.runChild(ctx, child{api.LinksWorkflowID(r.id+"."+when, from), "prove the links of " + from,
			attributes(api.FleetKey.ValueSet(r.Fleet), api.ClusterKey.ValueSet(from)), VerifyLinks}, in, &found)
		for j, l := range sources[i] {
			at := slices.Index(links, l)
			if err != nil {
				_, why := describe(err)
				out[at] = api.NotLooked(l, why)
			} else if j < len(found) {
				out[at] = found[j]
			}
		}
	})
	return out
}
