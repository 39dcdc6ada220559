package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutLink does the guide's steps 8 (for this source), 10 and 11 for one link. What
// fails is undone; the error is then of TypeUnit.
func RolloutLink(ctx workflow.Context, in api.LinkInput) (api.LinkResult, error) {
	u, err := newUnitRun(ctx, in.Source, api.LinkOf(in.Link), limits{Rollout: in.Rollout})
	if err != nil {
		return api.LinkResult{}, err
	}
	proof, err := rolloutLink(ctx, u, in)
	return api.LinkResult{Changes: fleet.Changes{Changes: u.changes}, Proof: proof}, u.finish(ctx, err)
}

func rolloutLink(ctx workflow.Context, u *unitRun, in api.LinkInput) (*api.CheckLinkResult, error) {
	source := api.LinkRef{ClusterRef: in.Source, Link: in.Link, TargetID: in.Target.ClusterRef.ClusterID}
	target := api.LinkRef{ClusterRef: in.Target.ClusterRef, Link: in.Link}
	port, domain := in.Target.APIPort, in.Istio.TrustDomain

	// Step 8. The target's east-west gateway lets this source in.
	if _, err := run(ctx, u, stepAccess, api.EnsureAccessInput{LinkRef: target, APIPort: port, TrustDomain: domain,
		EastWest: in.Target.EastWest, SourceNamespace: in.Source.Namespace}); err != nil {
		return nil, err
	}

	// Step 10. Egress gateway in the source, with an identity of its own.
	if _, err := run(ctx, u, stepEgress, api.EnsureEgressGatewayInput{LinkRef: source, GatewaySettings: in.GatewaySettings}); err != nil {
		return nil, err
	}

	// Step 11. The path from there to the target's east-west gateway.
	if _, err := run(ctx, u, stepEgressConfig, api.EnsureEgressConfigInput{LinkRef: source, TLSServerName: in.Target.TLSServerName,
		Address: in.Target.Address, APIPort: port, TrustDomain: domain,
		EastWest: in.Target.EastWest, TargetNamespace: in.Target.ClusterRef.Namespace}); err != nil {
		return nil, err
	}

	// Step 10, the last of the guide. The target's token, sealed, becomes the source's
	// remote secret.
	token, err := run(ctx, u, stepReaderToken, api.EnsureReaderTokenInput{LinkRef: target, Recipient: in.Recipient,
		TLSServerName: in.Target.TLSServerName, ServerNameUnchecked: in.Target.ServerNameUnchecked})
	if err != nil {
		return nil, err
	}
	if _, err = run(ctx, u, stepRemoteSecret, api.EnsureRemoteSecretInput{LinkRef: source, Sealed: token.Sealed, TLSServerName: in.Target.TLSServerName}); err != nil {
		return nil, err
	}

	// The proof, which the guide leaves to the reader: a request goes through, and istiod
	// has read the target.
	if in.Rollout.SkipProof || source.DryRun {
		return nil, nil
	}
	proof, err := run(ctx, u, stepProof, api.CheckLinkInput{LinkRef: source, Patience: in.Rollout.ProofTimeout.Std(), Must: true})
	if err != nil {
		return nil, err
	}
	return &proof, nil
}
