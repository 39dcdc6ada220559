// Package reconcile keeps fleets as the Fleet resources of a management cluster say: it starts a
// rollout when a spec changes, and writes what became of it into the status. All that is done to
// clusters is done by the same workflows that the command starts, under the same lock.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	temporal "go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

const (
	// whileRunning pauses between two looks at a run, of which Kubernetes hears nothing.
	whileRunning = 5 * time.Second
	// whileIdle pauses between two looks at a fleet that nothing changes: at what people do
	// by the command, and at what its schedule finds.
	whileIdle = time.Minute
)

// Reconciler reconciles Fleet resources.
type Reconciler struct {
	// Kubernetes reaches the management cluster.
	Kubernetes client.Client
	// Temporal reads what is encrypted, too.
	Temporal temporal.Client
	// UI returns where Temporal's web UI lists the changes of a fleet, or nothing.
	UI  func(ctx context.Context, fleet string) string
	Log *slog.Logger
}

// Reconcile brings one Fleet a step further. It is safe to repeat, and two workers may do it at once:
// Temporal lets one run change a fleet, and joins who asks for the same one.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	u := newResource()
	if err := r.Kubernetes.Get(ctx, req.NamespacedName, u); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	o, err := read(u)
	if err != nil {
		return ctrl.Result{}, err
	}
	again, failed := r.step(ctx, o)
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err() // what was cut off tells nothing of the fleet
	}
	var refused apierrors.APIStatus
	if failed != nil && !errors.As(failed, &refused) { // what the API server refuses, the log tells
		o.set(resource.Ready, metav1.ConditionUnknown, resource.NoTemporal, failed.Error())
	}
	return ctrl.Result{RequeueAfter: again}, errors.Join(failed, r.write(ctx, o))
}

// step does what is to be done now, and returns after which time to look again; 0 means when the
// resource changes.
func (r *Reconciler) step(ctx context.Context, o *object) (time.Duration, error) {
	o.status.ObservedGeneration = o.GetGeneration()
	if !o.GetDeletionTimestamp().IsZero() {
		return r.remove(ctx, o)
	}
	if err := r.keepFinalizer(ctx, o, o.prunes()); err != nil {
		return 0, err
	}
	last, err := r.last(ctx, o)
	switch {
	case err != nil:
		return 0, err
	case last != nil && last.Running():
		return r.follow(ctx, o, *last)
	}
	o.idle()
	switch {
	case o.invalid != nil:
		o.set(resource.Ready, metav1.ConditionFalse, resource.InvalidSpec, o.invalid.Error())
		return 0, nil
	case o.fleet.Spec.Reconcile.Suspend:
		o.suspended()
		return 0, nil
	case o.asked() || o.status.Run == nil || o.status.Run.Generation != o.GetGeneration():
		return r.rollout(ctx, o)
	}
	return r.rolledOut(ctx, o, last)
}

// last returns the last run that changed the fleet, or nil.
func (r *Reconciler) last(ctx context.Context, o *object) (*runs.Run, error) {
	last, err := runs.Last(ctx, r.Temporal, o.GetName())
	var unknown *runs.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ask Temporal for the fleet's last run: %w", err)
	}
	return &last, nil
}

// ours tells whether the resource began a run.
func (o *object) ours(last runs.Run) bool {
	return o.status.Run != nil && o.status.Run.Run == last.RunID
}

// began notes a run that the resource began.
func (r *Reconciler) began(ctx context.Context, o *object, typ string, run temporal.WorkflowRun) {
	o.status.Run = &resource.Run{Type: typ, Workflow: run.GetID(), Run: run.GetRunID(), Generation: o.GetGeneration(), ForDeletion: !o.GetDeletionTimestamp().IsZero(),
		UI: r.UI(ctx, o.GetName()), Began: time.Now().UTC().Truncate(time.Second)}
	o.status.LastRequestedAt = o.GetAnnotations()[resource.RequestedAt]
	r.Log.Info("began a "+runs.Noun(typ), "fleet", o.GetNamespace()+"/"+o.GetName(), "generation", o.GetGeneration(), "run", run.GetRunID())
}

// where tells where more of a run is seen.
func (o *object) where() string {
	if o.status.Run != nil && o.status.Run.UI != "" {
		return "; see " + o.status.Run.UI
	}
	return fmt.Sprintf("; `landbridge status %s` tells more", o.GetName())
}
