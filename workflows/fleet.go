package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutFleet rolls out a fleet: preflight, root, members, links. A unit that fails is
// undone while the others go on. The error is then of TypePartly or TypeFailed and names
// each such unit. An error of TypePreflight means that nothing was changed.
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
	work, end := workflow.WithCancel(ctx)
	r.cancel = end
	// Step 1. The preflight, before anything is changed.
	if err = r.planHolds(work); err == nil {
		r.phase(ctx, "preflight")
		err = r.preflight(work)
	}
	if err == nil {
		err = r.do(work)
		if !in.DryRun {
			releaseAll(ctx, in, r.answeredMembers(), r.run)
			r.refreshSchedule(ctx)
			if set := r.setRotation(ctx); err == nil {
				err = set
			}
		}
	}
	r.over = true
	result, err := r.end(r.canceledBy(err))
	r.close(ctx, err)
	if r.tellsOfEnd(err) {
		tellEnd(ctx, in, r.noun, err)
	}
	return result, err
}

// rollout holds the state of a rollout or plan under way.
type rollout struct {
	*steered
	// id and run identify the fleet's workflow.
	id, run  string
	allWaves []fleet.Wave
	// root holds the result of the root's step; undoRoot removes a root that this run made.
	root     api.EnsureRootResult
	undoRoot func(workflow.Context)
	// chosen tells which version of Istio was chosen, where the fleet file names none.
	chosen string
	// ownReaders says that a source may do without the Secrets of its targets.
	ownReaders bool
	stale      fleet.Stale
	// needed counts the pods in the mesh of the control planes among them.
	needed []api.Workloads
	pruned fleet.Stale
	// last tells which fleet file was applied before, and applied which one this is.
	last, applied fleet.Applied
	proven        int
	// renewed counts the links that got a new token, and tokens sums all of them up.
	renewed int
	tokens  api.Tokens
	// intermediates lists the members that a rotation gave new ones.
	intermediates []string
	// next tells how far all members are in a change of the root, and change what this run
	// does about that.
	next   fleet.NextRoot
	change *rootChange
	// carrying names the links of old that carried requests before the wave under way.
	carrying []fleet.Link
}

// The runs that people steer, in their words.
const (
	rolloutNoun  = "rollout"
	rotationNoun = "rotation"
	cleanupNoun  = "cleanup"
)

// newRollout lists the fleet's units, and lets people steer them.
func newRollout(ctx workflow.Context, in api.FleetInput) (*rollout, error) {
	status, err := newFleetBoard(ctx, in, newUnits(in.Fleet))
	if err != nil {
		return nil, err
	}
	info := workflow.GetInfo(ctx).WorkflowExecution
	r := &rollout{steered: &steered{board: status, in: in, noun: rolloutNoun, gate: &gate{}}, id: info.ID, run: info.RunID, allWaves: in.Fleet.Waves()}
	if in.Rotate != nil {
		r.noun = rotationNoun
	}
	if len(in.Fleet.Spec.Rollout.Waves) > 0 {
		r.waves = r.allWaves // else all clusters are one wave, and there is nothing to show
	}
	if in.DryRun {
		return r, nil
	}
	return r, r.steer(ctx, decisions)
}

func (r *rollout) do(ctx workflow.Context) error {
	if r.in.Rotate != nil {
		return r.rotate(ctx)
	}

	// Steps 2 and 3. The root, made once and kept, unless the meshes have an existing CA.
	// A root that is missing or another one stops the rollout before anything changes.
	if r.in.Fleet.Spec.CA.Managed() {
		if err := r.makeRoot(ctx); err != nil {
			return err
		}
	}

	// Steps 3 to 11, wave by wave, and what left the fleet file.
	waves := []func(workflow.Context) error{r.rolloutWaves, r.prune}
	if r.pruneFirst() {
		slices.Reverse(waves)
	}
	var err error
	for _, wave := range waves {
		if err = wave(ctx); err != nil {
			break
		}
	}
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

// releaseAll releases the locks that this run has. An inventory whose lock cannot be
// released keeps naming this run, which does no harm within one Temporal.
func releaseAll(ctx workflow.Context, in api.FleetInput, clusters []fleet.Cluster, run string) {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	inParallel(free, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if _, err := fleetCall(ctx, releaseCall(), "release lock", a.ReleaseInventory,
			api.ReleaseInventoryInput{ClusterRef: in.Ref(clusters[i], run)}); err != nil {
			workflow.GetLogger(ctx).Warn("cannot release the lock; the inventory keeps naming this run", "cluster", clusters[i].Name, "error", err)
		}
	})
}
