package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rootsToSign gets the root, or the two roots, that new intermediates come from.
func (r *rollout) rootsToSign(ctx workflow.Context) (err error) {
	if !r.in.Fleet.Spec.CA.Managed() {
		return fail(api.TypePreflight, "the clusters of the fleet "+r.Fleet+" have existing CAs (spec.ca.manage: false); who made them renews them. Nothing was changed", nil)
	}
	root := r.get(api.Root())
	root.move(api.Running)
	what := "nothing was changed"
	if r.change == nil || r.change.tidies {
		err = r.readRoot(ctx)
	} else {
		err, what = r.makeNextRoot(ctx), "no cluster was changed"
	}
	root.end(err)
	if err != nil {
		return r.fail(api.TypeFailed, "the rotation failed; "+what, []api.Failure{failureOf(api.Root(), err)})
	}
	return nil
}

// readRoot reads the root that is to sign new intermediates, and makes none.
func (r *rollout) readRoot(ctx workflow.Context) error {
	in := api.EnsureRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA, Known: r.knownRoots(), Next: r.next}
	in.DryRun = true
	found, err := fleetCall(ctx, preflight(), stepRoot.String(), a.EnsureRoot, in)
	if err == nil && found.CertPEM == "" {
		err = fail(api.TypeRoot, "the fleet has no root yet; roll it out", nil)
	}
	r.root = found
	return err
}

// rotateIntermediate gives a member a new intermediate, where that is due or asked for.
func (r *rollout) rotateIntermediate(ctx workflow.Context, u *unit) {
	name, _ := u.Unit.Member()
	if r.change != nil && r.change.there[name] { // an earlier run brought it there
		u.end(nil)
		r.show(ctx)
		return
	}
	limits := r.in.Fleet.Spec.Rollout
	limits.Waves = nil
	ref := r.ref(name)
	var result api.RotateClusterResult
	err := r.gate.runChild(ctx, child{u.Unit.WorkflowID(r.id), u.Unit.String(),
		attributes(api.FleetKey.ValueSet(r.Fleet), api.ClusterKey.ValueSet(name), api.PhaseKey.ValueSet(string(api.Running))), RotateCluster},
		api.RotateClusterInput{ClusterRef: ref, Root: r.in.RootRef(r.run), RootPEM: r.root.CertPEM, TrustPEM: r.root.TrustPEM, Spec: intermediateOf(ref, r.in.Fleet.Spec.CA),
			Anew: r.change != nil || !r.in.Rotate.Due, Phase: r.phaseOf(name), Rollout: limits, Links: r.linksToProve(name)}, &result)
	if u.end(err); err == nil {
		u.result.Certificate, u.result.Changes = result.Certificate, result.Changes
		r.proven += result.Proven
		if result.Renewed {
			r.intermediates = append(r.intermediates, name)
		}
	}
	r.show(ctx)
}

// linksToProve lists the links of a member, by their sources, unless proofs are left out. A
// source that did not answer before is not asked.
func (r *rollout) linksToProve(name string) (out []api.VerifyLinksInput) {
	if r.in.Fleet.Spec.Rollout.SkipProof {
		return nil
	}
	touched := fleet.Touches(r.in.Fleet.Links(), name)
	for _, links := range fleet.BySource(touched) {
		if from := r.member(links[0].From); from.State.IsFailure() {
			continue
		}
		out = append(out, toVerify(r.in.Fleet, r.ref(links[0].From), links))
	}
	return out
}
