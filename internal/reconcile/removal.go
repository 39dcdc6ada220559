package reconcile

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

// remove cleans the clusters of a Fleet up that is deleted, where its spec wants that, and lets it go
// when that is done. Otherwise the clusters stay as they are.
func (r *Reconciler) remove(ctx context.Context, o *object) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(o, resource.Finalizer) {
		return 0, nil
	}
	if !o.prunes() || o.status.Run == nil { // nothing is to go, or nothing was ever rolled out
		return 0, r.keepFinalizer(ctx, o, false)
	}
	if o.invalid != nil {
		o.set(resource.Ready, metav1.ConditionFalse, resource.InvalidSpec, "the fleet cannot be cleaned up as long as its spec cannot be read: "+o.invalid.Error())
		return 0, nil
	}
	if o.fleet.Spec.Reconcile.Suspend {
		o.idle()
		o.suspended()
		return 0, nil
	}
	if err := o.fleet.Protects(nil); err != nil {
		o.idle()
		o.set(resource.Ready, metav1.ConditionFalse, resource.Protected,
			"spec.protected is true, so that nothing is removed: set it to false to have the fleet cleaned up, or spec.reconcile.prune to false to leave it as it is")
		return 0, nil
	}
	last, err := r.last(ctx, o)
	switch {
	case err != nil:
		return 0, err
	case last != nil && last.Running() && last.Type == api.CleanupFleet:
		return r.follow(ctx, o, *last)
	case last != nil && o.ours(*last) && last.Type == api.CleanupFleet:
		return r.cleanedUp(ctx, o)
	case last != nil && last.Running() && o.ours(*last) && o.status.Run.ForDeletion:
		return r.follow(ctx, o, *last) // it began to lift the protection
	}
	if protected, err := r.wasProtected(ctx, o, last); err != nil || protected {
		if err != nil {
			return 0, err
		}
		return r.rollout(ctx, o)
	}
	return r.cleanup(ctx, o, last)
}

// wasProtected tells whether the clusters remember that the fleet is protected. They forget it by a
// rollout of the spec that says so no longer.
func (r *Reconciler) wasProtected(ctx context.Context, o *object, last *runs.Run) (bool, error) {
	if last == nil || last.Running() || last.Type != api.RolloutFleet {
		return false, nil
	}
	in, err := runs.Input(ctx, r.Temporal, last.ID, last.RunID)
	return in.Fleet.Spec.Protected, err
}

// cleanup begins the cleanup. Where a rollout runs, that is canceled and undoes its open steps
// first, which may take minutes: the status says so before.
func (r *Reconciler) cleanup(ctx context.Context, o *object, last *runs.Run) (time.Duration, error) {
	if last != nil && last.Running() && last.Type == api.RolloutFleet {
		o.progressing(api.CleanupFleet, "the rollout that runs is canceled, and undoes its open steps first"+o.where())
		if err := r.write(ctx, o); err != nil {
			return 0, err
		}
	}
	in := api.FleetInput{Fleet: *o.fleet, Request: o.request()}
	if in.Request.Validate() != nil {
		in.Reason = "" // it keeps nobody from deleting
	}
	return r.begin(ctx, o, api.CleanupFleet, in)
}

// cleanedUp lets the resource go where the cleanup is done, and else says what is left.
func (r *Reconciler) cleanedUp(ctx context.Context, o *object) (time.Duration, error) {
	o.idle()
	err := runs.Outcome(ctx, r.Temporal.GetWorkflow(ctx, o.status.Run.Workflow, o.status.Run.Run), nil)
	switch {
	case err == nil:
		return 0, r.keepFinalizer(ctx, o, false)
	case !runs.Ended(err):
		return 0, fmt.Errorf("ask Temporal how the cleanup ended: %w", err)
	}
	if o.asked() || o.status.Run.Generation != o.GetGeneration() {
		return r.cleanup(ctx, o, nil)
	}
	o.set(resource.Ready, metav1.ConditionFalse, resource.CleanupFailed, runs.Message(err)+
		fmt.Sprintf("\nit is tried again when the spec or the annotation %s changes, such as for `landbridge cleanup` with flags that help%s", resource.RequestedAt, o.where()))
	return whileIdle, nil
}
