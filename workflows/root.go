package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// makeRoot runs steps 2 and 3: it makes the fleet's root CA, or finds the one it made
// before, or reads the issuer's, of which there is nothing to undo.
func (r *rollout) makeRoot(ctx workflow.Context) error {
	r.phase(ctx, "root")
	status, err := newUnitBoard(ctx, r.Fleet, api.Root(), "")
	if err != nil {
		return err
	}
	u := &unitRun{unit: api.Root(), dryRun: r.in.DryRun, limits: limitsOf(r.in.Fleet), status: status, gate: r.gate}
	root := r.get(api.Root())
	root.move(api.Running)
	in := api.EnsureRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA, Known: r.knownRoots(), Next: r.next}
	if in.Issuer.Given() {
		r.root, err = call(ctx, u, task[api.EnsureRootInput, api.EnsureRootResult]{stepRoot.String(), stepRoot.policy(u.limits), stepRoot.do}, in)
	} else {
		r.root, err = run(ctx, u, stepRoot, in)
	}
	if err != nil {
		err = u.finish(ctx, err)
		root.fail(failureOf(api.Root(), err))
		return err
	}
	root.move(api.Done)
	root.changes = u.changes
	r.undoRoot = func(ctx workflow.Context) { u.compensate(ctx) }
	return nil
}

// removeUnusedRoot removes a root that this run made and no cluster uses or may still
// have something of, unless onFailure is keep. After it the rollout takes no updates any more: a retry would have
// no root.
func (r *rollout) removeUnusedRoot(ctx workflow.Context) {
	used := r.each(func(u *unit) bool {
		_, member := u.Unit.Member()
		return member && (u.State == api.Done || u.State == api.Failed)
	})
	if r.undoRoot == nil || r.gate.kept || len(used) > 0 || r.in.Fleet.Spec.Rollout.OnFailure != fleet.OnFailureUndo {
		return
	}
	r.over = true
	r.undoRoot(ctx)
	r.undoRoot = nil
}
