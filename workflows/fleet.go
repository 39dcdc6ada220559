package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutFleet rolls out a fleet: preflight, root, members, links. A unit that fails is
// undone while the others go on; the error is then of TypePartly or TypeFailed and
// names each. Nothing was changed where the error is of TypePreflight.
func RolloutFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	return rolloutFleet(ctx, in)
}

// PlanFleet tells what RolloutFleet would do, object by object, and changes nothing.
func PlanFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	in.DryRun = true
	return rolloutFleet(ctx, in)
}

func rolloutFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	r, err := newRollout(ctx, in)
	if err != nil {
		return api.FleetResult{}, err
	}
	// Step 1. Look before anything is changed.
	r.phase(ctx, "preflight")
	if err = r.preflight(ctx); err == nil {
		err = r.do(ctx)
		if !in.DryRun {
			releaseAll(ctx, in, in.Fleet.Spec.Clusters, r.run)
		}
	}
	r.over = true
	result, err := r.end(err)
	r.phase(ctx, endPhase(ctx, err))
	if ctx.Err() == nil { // an update that was taken must be answered
		_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	}
	return result, err
}

// rollout is a rollout or plan under way.
type rollout struct {
	*board
	in api.FleetInput
	// id and run are those of the fleet's workflow.
	id, run  string
	allWaves []fleet.Wave
	gate     *gate
	// over says that nothing can be steered any more.
	over bool
	// root is what the root's step gave; undoRoot takes back one that this run made.
	root     api.EnsureRootResult
	undoRoot func(workflow.Context)
	stale    fleet.Stale
	pruned   fleet.Stale
	proven   int
}

// newRollout lists the fleet's units, and lets people steer them.
func newRollout(ctx workflow.Context, in api.FleetInput) (*rollout, error) {
	status, err := newFleetBoard(ctx, in, newUnits(in.Fleet))
	if err != nil {
		return nil, err
	}
	info := workflow.GetInfo(ctx).WorkflowExecution
	r := &rollout{board: status, in: in, id: info.ID, run: info.RunID, allWaves: in.Fleet.Waves(), gate: &gate{}}
	if len(in.Fleet.Spec.Rollout.Waves) > 0 {
		r.waves = r.allWaves // else all clusters are one, and there is nothing to show
	}
	if in.DryRun {
		return r, nil
	}
	return r, r.steer(ctx)
}

func (r *rollout) do(ctx workflow.Context) error {
	// What left the fleet file goes first: a tunnel that is not wanted is shut.
	if err := r.prune(ctx); err != nil {
		return err
	}

	// Steps 2 and 3. The root, made once and kept, unless the meshes have theirs.
	if r.in.Fleet.Spec.CA.Managed() {
		if err := r.makeRoot(ctx); err != nil {
			return err
		}
	}

	// Steps 3 to 11, wave by wave.
	err := r.rolloutWaves(ctx)
	r.removeUnusedRoot(ctx)
	return err
}

// ref returns the reference of a cluster of the fleet file, or of one that left it.
func (r *rollout) ref(name string) api.ClusterRef {
	if c, ok := r.in.Fleet.Cluster(name); ok {
		return r.in.Ref(c, r.run)
	}
	for _, c := range r.stale.Clusters {
		if c.Name == name {
			return r.in.Ref(c, r.run)
		}
	}
	return r.in.Ref(fleet.Cluster{Name: name}, r.run)
}

// releaseAll releases the locks that this run has. Where one cannot be released, the
// inventory keeps naming this run, which is harmless within one Temporal.
func releaseAll(ctx workflow.Context, in api.FleetInput, clusters []fleet.Cluster, run string) {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	inParallel(free, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if _, err := fleetCall(ctx, releaseCall(), "release lock", a.ReleaseInventory,
			api.ReleaseInventoryInput{ClusterRef: in.Ref(clusters[i], run)}); err != nil {
			workflow.GetLogger(ctx).Warn("the inventory keeps naming this run", "cluster", clusters[i].Name, "error", err)
		}
	})
}
