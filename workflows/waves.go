package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rolloutWaves rolls out wave after wave. A wave consists of its members, and then of
// the links whose two clusters are done by then, with their proof, and that of the links
// with later waves that were there before.
func (r *rollout) rolloutWaves(ctx workflow.Context) error {
	for n := range r.allWaves {
		begins, err := r.begins(ctx, n)
		if err != nil || !begins {
			return err
		}
		r.rememberProven(ctx, n)
		r.rolloutWave(ctx, n)
		if r.proveWave(ctx, n); ctx.Err() != nil {
			return ctx.Err()
		}
		r.shutGuideOut(ctx)
	}
	return nil
}

// begins tells whether wave n begins. Where the fleet file wants approvals, each wave after
// the first waits for one, and so does one that removes. Else a wave that fails stops those
// after it. A wave in which a plan finds nothing to change waits for nobody.
func (r *rollout) begins(ctx workflow.Context, n int) (bool, error) {
	switch {
	case n == 0 || r.in.DryRun:
	case r.in.Fleet.Spec.Rollout.Approval == fleet.ApprovalWaves:
		if n == r.pruneWave() || r.work(n) && r.changes(ctx, n) {
			return true, r.hold(ctx, n)
		}
	case r.failedBefore(n):
		r.stop(n)
		return false, nil
	}
	return true, nil
}

// waveName returns the name of wave n.
func (r *rollout) waveName(n int) string {
	if n == r.pruneWave() {
		return fleet.PruneWave
	}
	return r.allWaves[n].Name
}

// rolloutWave rolls out all that is pending in the waves up to n, and ends when nothing
// is pending. It includes units that somebody retries while it runs.
func (r *rollout) rolloutWave(ctx workflow.Context, n int) {
	w := newWaveRun(r, n)
	pool(ctx, len(r.list),
		func() bool { return ctx.Err() == nil && !w.next().none() },
		func() func(workflow.Context) { return w.begin(ctx, w.next()) })
}

// membersAtOnce limits how many members are worked on. Intermediates are renewed one by one, so
// that a link which breaks tells by whose.
func (r *rollout) membersAtOnce() int {
	if r.in.Rotate.OfCAs() {
		return 1
	}
	return r.in.Fleet.Spec.Rollout.MaxParallel
}

func (r *rollout) rolloutMember(ctx workflow.Context, u *unit) {
	name, _ := u.Unit.Member()
	cluster, _ := r.in.Fleet.Cluster(name)
	if why := r.reach(ctx, cluster); why != nil {
		u.fail(*why)
		r.show(ctx)
		return
	}
	if r.in.Rotate != nil {
		r.rotateMember(ctx, u)
		return
	}
	f := r.in.Fleet
	part := f.Part(name, r.stale)
	limits := f.Spec.Rollout
	limits.Waves = nil // the part has them
	var result api.ClusterResult
	err := r.gate.runChild(ctx, child{u.Unit.WorkflowID(r.id), u.Unit.String(),
		attributes(api.FleetKey.ValueSet(r.Fleet), api.ClusterKey.ValueSet(name), api.PhaseKey.ValueSet(string(api.Running))), RolloutCluster},
		api.ClusterInput{
			ClusterRef: r.ref(name), Root: r.in.RootRef(r.run), RootPEM: r.root.CertPEM, TrustPEM: r.root.TrustPEM, Network: cluster.Network,
			Part: part, IstioVersion: u.check.Istio.Wanted, Memory: r.memory(name, part), Rollout: limits,
			IsSource: u.source,
		}, &result)
	if u.end(err); err == nil {
		u.result, u.changes = result, result.Changes.WithoutFields().Changes
		if !r.in.DryRun {
			u.Istio = u.check.Istio.Wanted
		}
	}
	r.show(ctx)
}

// hold waits for the approval of wave n, or until somebody skipped all of it. Meanwhile
// people can retry or skip what failed before.
func (r *rollout) hold(ctx workflow.Context, n int) error {
	r.waitFor(r.waveName(n), n)
	defer func() { r.WaitsFor = "" }()
	r.tellWaiting(ctx)
	for {
		r.phase(ctx, api.PhaseApproval)
		if err := workflow.Await(ctx, func() bool { return !r.waits() || r.work(n-1) }); err != nil {
			return err
		}
		if !r.work(n - 1) {
			return nil
		}
		r.rolloutWave(ctx, n-1)
		r.proveWave(ctx, n-1)
		if !r.waits() {
			return nil
		}
	}
}

// stop leaves out the members from wave n on, and what was to be removed, since an earlier
// wave failed.
func (r *rollout) stop(n int) {
	for _, u := range r.each(func(u *unit) bool { return u.wave >= n }) {
		if _, member := u.Unit.Member(); member || u.Removal {
			u.leaveOut(false, fmt.Sprintf("left out, since a wave before %s failed", r.waveName(u.wave)))
		}
	}
}
