package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutLinks rolls out the links of one source, so that the history of the fleet does
// not grow with their number. A link that fails does not stop the others; the failures
// are in the result.
func RolloutLinks(ctx workflow.Context, in api.LinksInput) (api.LinksResult, error) {
	status, err := newLinksBoard(ctx, in)
	if err != nil {
		return api.LinksResult{}, err
	}
	work := any(RolloutLink)
	if in.TokensOnly {
		work = RotateLink
	}
	gate, results := newGate(ctx), make([]api.LinkResult, len(in.Targets))
	way, err := newEgress(ctx, gate, in)
	if err != nil {
		return api.LinksResult{}, err
	}
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(in.Targets), in.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		u := status.list[i]
		link, _ := u.Unit.Link()
		if ctx.Err() != nil {
			return
		}
		u.move(api.Running)
		status.show(ctx)
		u.end(gate.runChild(ctx, child{parent + "." + link.To, u.Unit.String(),
			attributes(api.FleetKey.ValueSet(in.Source.Fleet), api.LinkKey.ValueSet(link.ID()), api.PhaseKey.ValueSet(string(api.Running))), work},
			way.link(link, i), &results[i]))
		status.show(ctx)
	})
	out := linksResult(status.units, results, in.Source.DryRun)
	out.Left = way.end(ctx, len(out.Done) > 0)
	if in.Source.DryRun {
		out.Egress = way.changes.WithoutFields()
	}
	return out, ctx.Err()
}

// linksResult sums up how each link ended. It has changes for a plan only: those of a
// rollout are in the result of each RolloutLink.
func linksResult(u *units, results []api.LinkResult, dryRun bool) api.LinksResult {
	out := api.LinksResult{Failures: u.failures()}
	for i, m := range u.list {
		if m.State != api.Done {
			continue
		}
		link, _ := m.Unit.Link()
		out.Done = append(out.Done, link.ID())
		if p := results[i].Proof; p != nil {
			out.Proven++
			if p.Open() {
				out.Open = append(out.Open, link.ID())
			}
		}
		out.Tokens.Add(results[i].Token)
		if results[i].Renewed {
			out.Renewed++
		}
		if dryRun {
			if out.Changes == nil {
				out.Changes = map[string]fleet.Changes{}
			}
			out.Changes[link.ID()] = results[i].Changes.WithoutFields()
		}
	}
	return out
}

// beginLinksOf shows that the links of one source begin.
func (r *rollout) beginLinksOf(in api.LinksInput) (links []*unit) {
	for _, t := range in.Targets {
		u := r.get(api.LinkOf(fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster}))
		u.move(api.Running)
		links = append(links, u)
	}
	return links
}

// rolloutLinksOf rolls out links of one source, by a child.
func (r *rollout) rolloutLinksOf(ctx workflow.Context, in api.LinksInput, links []*unit) {
	source := in.Source.Cluster
	var result api.LinksResult
	err := r.gate.runChild(ctx, child{api.LinksWorkflowID(r.id, source), "links of " + source,
		attributes(api.FleetKey.ValueSet(in.Source.Fleet), api.ClusterKey.ValueSet(source), api.PhaseKey.ValueSet(string(api.Running))), RolloutLinks}, in, &result)
	failed := map[api.Unit]api.Failure{}
	for _, f := range result.Failures {
		failed[f.Unit] = f
	}
	for _, l := range links {
		f, bad := failed[l.Unit]
		switch {
		case bad:
			l.fail(f)
		case err != nil: // each of them can be retried by itself
			f := failureOf(l.Unit, err)
			f.Unit = l.Unit
			l.fail(f)
		default:
			l.move(api.Done)
			link, _ := l.Unit.Link()
			l.open = slices.Contains(result.Open, link.ID())
			l.changes = result.Changes[link.ID()].Changes
		}
	}
	of := r.member(source)
	of.changes = append(of.changes, result.Egress.Changes...)
	if result.Left != nil {
		of.fail(*result.Left)
	}
	r.proven += result.Proven
	r.renewed += result.Renewed
	r.tokens.Merge(result.Tokens)
	r.show(ctx)
}

// linksInput returns the input of RolloutLinks for links of one source.
func (r *rollout) linksInput(ctx workflow.Context, links []fleet.Link) api.LinksInput {
	f, from := r.in.Fleet, links[0].From
	rollout := f.Spec.Rollout
	rollout.Waves = nil // no link needs them, and each would carry them
	c, _ := f.Cluster(from)
	own := f.Settings(c)
	in := api.LinksInput{Source: r.ref(from), Recipient: r.member(from).result.Recipient, LinkSettings: api.LinkSettings{
		GatewaySettings: api.GatewaySettings{Istio: forGateways(own.Istio, r.member(from).check.Istio.Wanted), Gateways: own.Gateways}, Rollout: rollout,
		ReadsSecrets: r.readsSecrets(from) != "", Tokens: f.Spec.Credentials.Tokens, IssuedBefore: r.issuedBefore(ctx)}, TokensOnly: r.in.Rotate != nil}
	in.Gateways.EastWest = fleet.EastWest{} // a link has to do with its target's
	in.LeavesEgress = slices.Contains(r.member(from).check.EgressModes, in.Gateways.Egress.Mode.Other())
	for _, link := range links {
		in.Targets = append(in.Targets, r.target(link))
	}
	return in
}

// target returns what a link needs of its target.
func (r *rollout) target(link fleet.Link) api.Target {
	to := r.member(link.To)
	c, _ := r.in.Fleet.Cluster(link.To)
	settings := r.in.Fleet.Settings(c)
	g := settings.Gateways
	return api.Target{ClusterRef: r.ref(link.To), TLSServerName: to.check.TLSServerName, ServerNameUnchecked: to.check.ServerNameUnchecked,
		Address: g.AddressFor(link.From, to.result.Address), APIPort: g.APIPort, EastWest: g.EastWest.Identity(), Revision: settings.Istio.Rev()}
}
