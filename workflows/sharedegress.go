package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The links of a source share one egress gateway, where its fleet file wants that. It comes
// before them. A link that changes its mode has both ways until the new one is proven, and
// istiod's connections go from one to the other with the remote secret.

// egress holds the egress gateway that the links of one source share, and what they leave.
type egress struct {
	in api.LinksInput
	// found tells of each target which port it has, and whether its link leaves the other mode.
	found api.CheckEgressResult
	// changes that the shared gateway needed.
	changes fleet.Changes
}

// newEgress does step 10 for all links of a source. What fails is undone.
func newEgress(ctx workflow.Context, gate *gate, in api.LinksInput) (e egress, err error) {
	e.in = in
	mode := in.Gateways.Egress.Mode
	if in.TokensOnly || !mode.Shared() && !in.LeavesEgress {
		return e, nil
	}
	if err = gate.wait(ctx); err != nil {
		return e, err
	}
	check := api.CheckEgressInput{ClusterRef: in.Source, Mode: mode}
	for _, t := range in.Targets {
		check.Targets = append(check.Targets, t.ClusterRef.Cluster)
	}
	if e.found, err = fleetCall(ctx, apiCall(e.limits()), "10 check egress gateways", a.CheckEgress, check); err != nil || !mode.Shared() {
		return e, err
	}
	e.changes, err = fleetCall(gate.steps(ctx), stepSharedEgress.policy(e.limits()), stepSharedEgress.String(), a.EnsureSharedEgress,
		api.EnsureSharedEgressInput{ClusterRef: in.Source, GatewaySettings: in.GatewaySettings})
	if err != nil {
		e.undo(ctx)
	}
	return e, err
}

func (e egress) limits() limits { return limits{Rollout: e.in.Rollout} }

// link returns the input of the link to the target with that place in the list.
func (e egress) link(link fleet.Link, i int) api.LinkInput {
	in := api.LinkInput{LinkSettings: e.in.LinkSettings, Link: link, Source: e.in.Source, Recipient: e.in.Recipient, Target: e.in.Targets[i]}
	if len(e.found.Ports) > i {
		in.EgressPort = e.found.Ports[i]
	}
	if len(e.found.Leaves) > i {
		in.LeavesEgress = e.found.Leaves[i]
	}
	return in
}

// end removes the shared gateway where no link of the source came to use it, or the last one
// left it. It returns why it could not.
func (e egress) end(ctx workflow.Context, used bool) *api.Failure {
	if e.in.Source.DryRun || e.in.TokensOnly {
		return nil
	}
	if e.in.Gateways.Egress.Mode.Shared() {
		if !used && e.changes.Created() && e.in.Rollout.OnFailure != fleet.OnFailureKeep {
			return e.undo(ctx)
		}
		return nil
	}
	if !e.in.LeavesEgress {
		return nil
	}
	return e.remove(ctx, api.RemoveInput{ClusterRef: e.in.Source})
}

// undo removes the gateway if this run made it, whatever ended the run.
func (e egress) undo(ctx workflow.Context) *api.Failure {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return e.remove(free, e.in.Source.Undo())
}

func (e egress) remove(ctx workflow.Context, in api.RemoveInput) *api.Failure {
	if ctx.Err() != nil {
		return nil // the next rollout finds it again
	}
	_, err := fleetCall(ctx, undoCall(e.limits()), "remove "+stepSharedEgress.name, a.RemoveSharedEgress, in)
	if err == nil {
		return nil
	}
	f := leftover(api.Member(in.Cluster), stepSharedEgress.name, err)
	return &f
}

// leaveEgress removes what a link has of the other mode, whose identity the target then lets in
// no longer. The link works as it is: what fails from here on undoes nothing.
func leaveEgress(ctx workflow.Context, u *unitRun, in api.LinkInput) error {
	u.stands = true
	source, target := in.Ends()
	if _, err := run(ctx, u, stepRetireEgress, api.RetireEgressInput{LinkRef: source, Mode: in.Gateways.Egress.Mode}); err != nil || source.DryRun {
		return err
	}
	only := accessOf(in, target)
	only.BothModes = false
	out, err := call(ctx, u, task[api.EnsureAccessInput, fleet.Changes]{stepAccess.String(), stepAccess.policy(u.limits), a.EnsureAccess}, only)
	u.changes = append(u.changes, out.All()...)
	return err
}

// accessOf describes how the target lets the source of a link in.
func accessOf(in api.LinkInput, target api.LinkRef) api.EnsureAccessInput {
	return api.EnsureAccessInput{LinkRef: target, APIPort: in.Target.APIPort, TrustDomain: in.Istio.TrustDomain,
		EastWest: in.Target.EastWest, SourceNamespace: in.Source.Namespace, Mode: in.Gateways.Egress.Mode, BothModes: in.LeavesEgress}
}
