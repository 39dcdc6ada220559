package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutLinks rolls out the links of one source, so that the history of the
// fleet does not grow with their number. A link that fails does not stop the
// others; the failures are in the result.
func RolloutLinks(ctx workflow.Context, in api.LinksInput) (api.LinksResult, error) {
	status, err := newLinksStatus(ctx, in)
	if err != nil {
		return api.LinksResult{}, err
	}
	out, gate := api.LinksResult{}, newGate(ctx)
	results := make([]api.LinkResult, len(in.Targets))
	errs := make([]error, len(in.Targets))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(in.Targets), in.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		link := fleet.Link{From: in.Source.Cluster, To: in.Targets[i].ClusterRef.Cluster}
		status.set(ctx, i, api.Running, "")
		errs[i] = ctx.Err()
		if errs[i] == nil {
			errs[i] = gate.runChild(ctx, parent+"."+link.To, "link "+link.String(),
				attributes(api.FleetKey.ValueSet(in.Source.Fleet), api.LinkKey.ValueSet(link.ID()), api.PhaseKey.ValueSet(api.Running)),
				RolloutLink, api.LinkInput{LinkSettings: in.LinkSettings, Link: link, Source: in.Source, Recipient: in.Recipient, Target: in.Targets[i]}, &results[i])
		}
		status.finish(ctx, i, errs[i])
	})
	for i, t := range in.Targets {
		link := fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster}
		if errs[i] != nil {
			out.Failures = append(out.Failures, failureOf("link "+link.String(), errs[i]))
			continue
		}
		out.Done = append(out.Done, link.ID())
		if results[i].Proof != nil {
			out.Proven++
		}
		if in.Source.DryRun {
			if out.Changes == nil {
				out.Changes = map[string]fleet.Changes{}
			}
			out.Changes[link.ID()] = results[i].Changes.WithoutFields()
		}
	}
	return out, ctx.Err()
}

// RolloutLink does the guide's steps 8 (for this source), 10 and 11 for one
// link. What fails is undone; the error is then of TypeUnit.
func RolloutLink(ctx workflow.Context, in api.LinkInput) (api.LinkResult, error) {
	l := newCompensation("link "+in.Link.String(), in.Rollout)
	if err := l.status.publish(ctx); err != nil {
		return api.LinkResult{}, err
	}
	l.gate = newGate(ctx)
	proof, err := rolloutLink(ctx, l, in)
	return api.LinkResult{Changes: fleet.Changes{Changes: l.changes}, Proof: proof}, l.settle(ctx, err)
}

func rolloutLink(ctx workflow.Context, l *compensation, in api.LinkInput) (*api.CheckLinkResult, error) {
	source := api.LinkRef{ClusterRef: in.Source, Link: in.Link}
	target := api.LinkRef{ClusterRef: in.Target.ClusterRef, Link: in.Link}
	port, domain := in.Gateways.APIPort, in.Istio.TrustDomain

	// Step 8. The target's door opens for this source.
	if _, err := step(ctx, l, apiCall(in.Rollout), "8 access", a.EnsureAccess, a.RemoveAccess,
		api.EnsureAccessInput{LinkRef: target, APIPort: port, TrustDomain: domain, EastWest: in.Gateways.EastWest, SourceNamespace: in.Source.Namespace}); err != nil {
		return nil, err
	}

	// Step 10. Egress gateway in the source, with an identity of its own.
	if _, err := step(ctx, l, helmCall(in.Rollout), "10 egress gateway", a.EnsureEgressGateway, a.RemoveEgressGateway,
		api.EnsureEgressGatewayInput{LinkRef: source, GatewaySettings: in.GatewaySettings}); err != nil {
		return nil, err
	}

	// Step 11. The way from there to the target's door.
	if _, err := step(ctx, l, apiCall(in.Rollout), "11 egress configuration", a.EnsureEgressConfig, a.RemoveEgressConfig,
		api.EnsureEgressConfigInput{LinkRef: source, TLSServerName: in.Target.TLSServerName,
			Address: in.Target.Address, APIPort: port, TrustDomain: domain, EastWest: in.Gateways.EastWest}); err != nil {
		return nil, err
	}

	// Step 10, the guide's last. The target's token, sealed, becomes the source's
	// remote secret.
	token, err := step(ctx, l, apiCall(in.Rollout), "10 reader token", a.EnsureReaderToken, a.RemoveReaderToken,
		api.EnsureReaderTokenInput{LinkRef: target, Recipient: in.Recipient, TLSServerName: in.Target.TLSServerName})
	if err != nil {
		return nil, err
	}
	if _, err = step(ctx, l, apiCall(in.Rollout), "10 remote secret", a.EnsureRemoteSecret, a.RemoveRemoteSecret,
		api.EnsureRemoteSecretInput{LinkRef: source, Sealed: token.Sealed, TLSServerName: in.Target.TLSServerName}); err != nil {
		return nil, err
	}

	// The proof, which the guide leaves to the reader: a request goes through, and
	// istiod has read the target.
	if in.Rollout.SkipProof || source.DryRun || workflow.GetVersion(ctx, changeProof, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil, nil
	}
	proof, err := call(ctx, l, proofCall(in.Rollout.ProofTimeout.Std()), "proof", a.CheckLink,
		api.CheckLinkInput{LinkRef: source, Patience: in.Rollout.ProofTimeout.Std(), Must: true})
	if err != nil {
		return nil, err
	}
	return &proof, nil
}

// changeProof marks histories in which a link ends with its proof.
const changeProof = "proof of a link"
