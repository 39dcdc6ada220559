package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// RolloutLink does the guide's steps 8 (for this source), 10 and 11 for one link. What
// fails is undone; the error is then of TypeUnit.
func RolloutLink(ctx workflow.Context, in api.LinkInput) (api.LinkResult, error) {
	u, err := newUnitRun(ctx, in.Source, api.LinkOf(in.Link), limits{Rollout: in.Rollout})
	if err != nil {
		return api.LinkResult{}, err
	}
	result, err := rolloutLink(ctx, u, in)
	result.Changes.Changes = u.changes
	return result, u.finish(ctx, err)
}

func rolloutLink(ctx workflow.Context, u *unitRun, in api.LinkInput) (none api.LinkResult, err error) {
	// The two ends of a link do not need each other.
	var token api.EnsureReaderTokenResult
	err = u.beside(ctx,
		func(ctx workflow.Context, u *unitRun) error {
			return rolloutSource(ctx, u, in)
		},
		func(ctx workflow.Context, u *unitRun) (err error) {
			token, err = rolloutTarget(ctx, u, in)
			return err
		})
	if err != nil {
		return none, err
	}

	// Step 10, the last of the guide. The token becomes the source's remote secret; then the proof.
	return giveToken(ctx, u, in, token)
}

// rolloutSource leads the way out of the source, as far as the target's east-west gateway.
func rolloutSource(ctx workflow.Context, u *unitRun, in api.LinkInput) error {
	source, _ := in.Ends()

	// Step 10. Egress gateway in the source, with an identity of its own, or its port on the one
	// that all links of the source share.
	if _, err := run(ctx, u, stepEgress, api.EnsureEgressGatewayInput{LinkRef: source, GatewaySettings: in.GatewaySettings, Port: in.EgressPort}); err != nil {
		return err
	}

	// Step 11. The path from there to the target's east-west gateway.
	_, err := run(ctx, u, stepEgressConfig, api.EnsureEgressConfigInput{LinkRef: source, TLSServerName: in.Target.TLSServerName,
		Address: in.Target.Address, APIPort: in.Target.APIPort, TrustDomain: in.Istio.TrustDomain,
		EastWest: in.Target.EastWest, TargetNamespace: in.Target.ClusterRef.Namespace, Mode: in.Gateways.Egress.Mode, Port: in.EgressPort})
	return err
}

// rolloutTarget lets the source into the target, and returns the token with which it reads there.
func rolloutTarget(ctx workflow.Context, u *unitRun, in api.LinkInput) (none api.EnsureReaderTokenResult, err error) {
	_, target := in.Ends()

	// Step 8. The target's east-west gateway lets this source in.
	if _, err = run(ctx, u, stepAccess, accessOf(in, target)); err != nil {
		return none, err
	}

	// Step 10. The source gets an account in the target, and its token.
	if _, err = run(ctx, u, stepReader, api.EnsureReaderInput{LinkRef: target, ReadsSecrets: in.ReadsSecrets, Revision: in.Target.Revision, SourceRevision: in.Istio.Rev()}); err != nil {
		return none, err
	}
	return newToken(ctx, u, in)
}

// RotateLink gives the source of one link a new token for its target, where that is due or
// asked for, and proves it. What fails is undone, and the token before stays in force.
func RotateLink(ctx workflow.Context, in api.LinkInput) (api.LinkResult, error) {
	u, err := newUnitRun(ctx, in.Source, api.LinkOf(in.Link), limits{Rollout: in.Rollout})
	if err != nil {
		return api.LinkResult{}, err
	}
	in.KeepEgress = true // whatever became of a change of its mode
	result, err := rotateLink(ctx, u, in)
	result.Changes.Changes = u.changes
	return result, u.finish(ctx, err)
}

func rotateLink(ctx workflow.Context, u *unitRun, in api.LinkInput) (api.LinkResult, error) {
	token, err := newToken(ctx, u, in)
	if err != nil {
		return api.LinkResult{}, err
	}
	return giveToken(ctx, u, in, token)
}
