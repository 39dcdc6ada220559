package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RotateCluster gives one member a new intermediate, where that is due or asked for, and proves its
// links with it. In a change of the root it brings the member to the next phase so. What fails is
// undone: the intermediate before is put back, with its key and the roots that were trusted with
// it, and stays in force.
func RotateCluster(ctx workflow.Context, in api.RotateClusterInput) (api.RotateClusterResult, error) {
	u, err := newUnitRun(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster), limits{Rollout: in.Rollout})
	if err != nil {
		return api.RotateClusterResult{}, err
	}
	result, err := rotateCluster(ctx, u, in)
	result.Changes.Changes = u.changes
	return result, u.finish(ctx, err)
}

func rotateCluster(ctx workflow.Context, u *unitRun, in api.RotateClusterInput) (out api.RotateClusterResult, err error) {
	ref := in.ClusterRef
	if err = u.beginPhase(ctx, in); err != nil {
		return out, err
	}
	// The key is made in the cluster; the root signs its CSR.
	key, err := run(ctx, u, stepIntermediateKey, api.EnsureIntermediateKeyInput{ClusterRef: ref, Spec: in.Spec, RootPEM: in.RootPEM, TrustPEM: in.TrustPEM, Anew: in.Anew})
	if err != nil || key.Current {
		out.Certificate = key.Facts
		return out, err
	}
	carrying := u.carrying(ctx, in.Links)
	signed, err := run(ctx, u, stepSign, api.SignIntermediateInput{RootRef: in.Root, Member: ref, CSR: key.CSR, Spec: in.Spec, RootPEM: in.RootPEM})
	if err != nil {
		return out, err
	}

	// cacerts gets the new one. The one before is kept beside it until the new one is proven.
	u.compensations = append(u.compensations, stepCACerts.undoneBy(ref.Cluster, func(ctx workflow.Context, u *unitRun) error {
		_, err := call(ctx, u, task[api.PutBackCACertsInput, fleet.Changes]{"put back " + stepCACerts.String(), undoCall(u.limits), a.PutBackCACerts}, api.PutBackCACertsInput{ClusterRef: ref})
		if err != nil {
			return err
		}
		return u.restartIstiod(ctx, in, undoCall(u.limits), "undo")
	}))
	wrote, err := call(ctx, u, task[api.EnsureCACertsInput, fleet.Changes]{stepCACerts.String(), apiCall(u.limits), a.EnsureCACerts},
		api.EnsureCACertsInput{ClusterRef: ref, RootPEM: in.RootPEM, TrustPEM: in.TrustPEM, CertPEM: signed.CertPEM, KeepBefore: true})
	if err != nil {
		return out, err
	}

	// istiod takes an intermediate without a restart as long as the roots that are trusted stay the
	// same. Without a proof nobody looks, as with all of a rollout.
	if err = u.restartIstiod(ctx, in, patientCall(u.limits), "do"); err != nil {
		return out, err
	}
	if !in.Rollout.SkipProof {
		if _, err = call(ctx, u, task[api.WaitIntermediateInput, api.WaitIntermediateResult]{"wait for istiod's new CA", reloadWait(u.limits), a.WaitIntermediate},
			api.WaitIntermediateInput{ClusterRef: ref, CertPEM: signed.CertPEM}); err != nil {
			return out, err
		}
		if err = u.stillCarrying(ctx, in.Links, carrying); err != nil {
			return out, err
		}
	}
	out.Renewed, out.Certificate, out.Proven = true, signed.Facts, len(carrying)
	u.changes = append(u.changes, wrote.All()...)
	u.stands = true // whether that is remembered and the one before is removed or not
	if err = u.endPhase(ctx, in); err != nil {
		return out, err
	}
	_, err = call(ctx, u, task[api.RetireCACertsInput, fleet.Changes]{"retire the intermediate before", apiCall(u.limits), a.RetireCACerts}, api.RetireCACertsInput{ClusterRef: ref})
	return out, err
}

// carrying lists the links that carry requests. Only these can be broken by what follows.
func (u *unitRun) carrying(ctx workflow.Context, links []api.VerifyLinksInput) (out []string) {
	for _, found := range u.prove(ctx, links, 0) {
		if found.Proven {
			out = append(out, found.Link)
		}
	}
	return out
}

// stillCarrying returns an error where a link does not carry requests any more.
func (u *unitRun) stillCarrying(ctx workflow.Context, links []api.VerifyLinksInput, carried []string) error {
	var broken []string
	for _, found := range u.prove(ctx, links, u.limits.ProofTimeout.Std()) {
		if !found.Proven && slices.Contains(carried, found.Link) {
			broken = append(broken, fmt.Sprintf("%s breaks at %s: %s", found.Link, found.Hop, found.Why))
		}
	}
	if err := ctx.Err(); err != nil || len(broken) == 0 {
		return err
	}
	return &stepError{stepProof.name, temporal.NewNonRetryableApplicationError(
		"links that carried requests before do not any more: "+strings.Join(broken, "; "), api.TypeUnproven, nil)}
}

// prove proves links by their sources, several at once.
func (u *unitRun) prove(ctx workflow.Context, links []api.VerifyLinksInput, patience time.Duration) []api.CheckLinkResult {
	if len(links) == 0 || u.gate.wait(ctx) != nil {
		return nil
	}
	at := u.stepBegins(ctx, stepProof.name)
	found := make([][]api.CheckLinkResult, len(links))
	inParallel(u.steps(ctx), len(links), links[0].MaxParallel, func(ctx workflow.Context, i int) {
		in := links[i]
		in.Patience = patience
		found[i] = verifyLinks(ctx, in)
	})
	u.stepEnds(ctx, at, ctx.Err())
	return slices.Concat(found...)
}
