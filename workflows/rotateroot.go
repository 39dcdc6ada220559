package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// makeNextRoot makes the next root, or finds the one that waits, and decides which of the two
// signs and which are trusted.
func (r *rollout) makeNextRoot(ctx workflow.Context) error {
	c := r.change
	in := api.MakeNextRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA, Known: api.MemberRoot{Cluster: c.oldAt, KnownRoot: fleet.KnownRoot{Fingerprint: c.old}}, Begun: c.next}
	both, err := fleetCall(ctx, apiCall(limitsOf(r.in.Fleet)), "next root", a.MakeNextRoot, in)
	if err != nil {
		return err
	}
	c.next, c.proof = both.Next, both.NextRoot
	r.root = api.EnsureRootResult{CertPEM: both.OldPEM, Kept: both.Kept}
	if c.to.NextSigns() {
		r.root.CertPEM = both.NextPEM
	}
	if c.to.Both() {
		r.root.TrustPEM = both.TrustPEM
	}
	return nil
}

// phaseOf returns what a member remembers of the change of the root that it is brought through.
func (r *rollout) phaseOf(name string) *api.MemberPhase {
	c := r.change
	if c == nil {
		return nil
	}
	return &api.MemberPhase{Before: r.member(name).check.Memory.Root, Begun: c.known(r.root.Kept, false), Done: c.known(r.root.Kept, true), NextRoot: c.proof,
		Place: r.in.Fleet.Spec.CA.Root, Restart: c.from.Both() != c.to.Both(), Signs: c.from.NextSigns() || c.to.NextSigns()}
}

// endRootChange removes the root that no cluster trusts any more, with its key, where every
// member has ended the last phase, or the first one backwards.
func (r *rollout) endRootChange(ctx workflow.Context) error {
	if r.rootChanged() == nil {
		return nil
	}
	r.change.onAt = workflow.Now(ctx).Add(r.in.Rotate.Root.WorkloadLifetime)
	stays, goes := r.change.next, r.change.old
	switch r.change.to {
	case fleet.RootReplaced:
	case fleet.RootAlone:
		stays, goes = goes, stays
	default:
		return nil
	}
	_, err := fleetCall(ctx, apiCall(limitsOf(r.in.Fleet)), "end the change of the root", a.EndRootChange, api.EndRootChangeInput{RootRef: r.in.RootRef(r.run), Stays: stays, Goes: goes})
	if err == nil {
		return nil
	}
	left := "the old root could not be removed from its place, where the next rollout or the same command removes it"
	if r.change.to == fleet.RootAlone {
		left = "the new root could not be removed from its place, where it waits for the next change of the root"
	}
	return r.fail(api.TypePartly, "every cluster is done, but "+left, []api.Failure{failureOf(api.Root(), err)})
}
