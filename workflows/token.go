package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// newToken gets the token of the source's account in the target, sealed to the source.
func newToken(ctx workflow.Context, u *unitRun, in api.LinkInput) (api.EnsureReaderTokenResult, error) {
	_, target := in.Ends()
	return run(ctx, u, stepReaderToken, api.EnsureReaderTokenInput{LinkRef: target, Recipient: in.Recipient,
		TLSServerName: in.Target.TLSServerName, ServerNameUnchecked: in.Target.ServerNameUnchecked,
		Lifetime: in.Tokens.Lifetime.Std(), IssuedBefore: in.IssuedBefore})
}

// giveToken does the last step of the guide for one link: the token becomes the source's remote
// secret. A token that took the place of another one is proven before that one goes; where it
// fails, the one before is put back.
func giveToken(ctx workflow.Context, u *unitRun, in api.LinkInput, token api.EnsureReaderTokenResult) (api.LinkResult, error) {
	source, target := in.Ends()
	secret := api.EnsureRemoteSecretInput{LinkRef: source, Sealed: token.Sealed, NewToken: token.Created(), TLSServerName: in.Target.TLSServerName,
		Mode: in.Gateways.Egress.Mode, KeepMode: in.KeepEgress}
	before := secret
	if in.LeavesEgress {
		before.Mode, before.OnlyReplace = secret.Mode.Other(), true
	}
	switch putBack := puttingBack(&before); {
	case token.Before != "" && token.Created():
		before.Sealed = token.Before
		u.undoFirst(stepReaderToken.at, putBack.undo)
	case in.LeavesEgress && !source.DryRun:
		u.compensations = append(u.compensations, putBack)
	}
	written, err := run(ctx, u, stepRemoteSecret, secret)
	if err != nil {
		return api.LinkResult{}, err
	}

	// The proof, which the guide leaves to the reader: a request goes through, and istiod
	// has read the target.
	result := api.LinkResult{Token: token.TokenFacts, Renewed: token.Created() && token.Older > 0}
	if !in.Rollout.SkipProof && !source.DryRun {
		proof, err := run(ctx, u, stepProof, api.CheckLinkInput{LinkRef: source, Patience: in.Rollout.ProofTimeout.Std(), Must: true})
		if err != nil {
			return api.LinkResult{}, err
		}
		result.Proof = &proof
	}
	// Without a proof the one before stays in force until the next time.
	if token.Older > 0 && (result.Proof != nil || !token.Created()) {
		u.stands = true // whether the older ones are gone or not
		if _, err = run(ctx, u, stepRetire, api.RetireReaderTokensInput{LinkRef: target, Keep: token.Secret}); err != nil {
			return result, err
		}
	}
	// So does the egress gateway of the other mode.
	if in.LeavesEgress && (result.Proof != nil || source.DryRun || written.Unchanged()) {
		err = leaveEgress(ctx, u, in)
	}
	return result, err
}

// puttingBack returns the compensation that writes the remote secret as it was before.
func puttingBack(before *api.EnsureRemoteSecretInput) compensation {
	return stepRemoteSecret.undoneBy(before.Cluster, func(ctx workflow.Context, u *unitRun) error {
		_, err := call(ctx, u, task[api.EnsureRemoteSecretInput, fleet.Changes]{"put back " + stepRemoteSecret.String(), undoCall(u.limits), a.EnsureRemoteSecret}, *before)
		return err
	})
}
