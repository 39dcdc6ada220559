package reconcile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

// rollout begins a rollout of the spec.
func (r *Reconciler) rollout(ctx context.Context, o *object) (time.Duration, error) {
	in := api.FleetInput{Fleet: *o.fleet, Prune: o.prunes(), Request: o.request()}
	if err := in.Request.Validate(); err != nil {
		o.set(resource.Ready, metav1.ConditionFalse, resource.InvalidSpec, fmt.Sprintf("annotation %s: %v", resource.Reason, err))
		return 0, nil
	}
	return r.begin(ctx, o, api.RolloutFleet, in)
}

// begin starts a run, or joins the same one.
func (r *Reconciler) begin(ctx context.Context, o *object, typ string, in api.FleetInput) (time.Duration, error) {
	want, err := runs.NewChange(typ, in)
	if err != nil {
		return 0, err
	}
	run, err := runs.Start(ctx, r.Temporal, func(string) {}, want)
	var (
		busy    *runs.BusyError
		refused *runs.RefusedError
	)
	switch {
	case errors.As(err, &busy):
		o.other(busy.Run)
		return whileRunning, nil
	case errors.As(err, &refused):
		o.set(resource.Ready, metav1.ConditionFalse, resource.Refused, err.Error())
		return whileIdle, nil
	case err != nil:
		return 0, fmt.Errorf("start the %s: %w", runs.Noun(typ), err)
	}
	r.began(ctx, o, typ, run)
	o.progressing(typ, fmt.Sprintf("the %s of generation %d began%s", runs.Noun(typ), o.GetGeneration(), o.where()))
	return time.Second, nil
}

func (o *object) progressing(typ, message string) {
	reason := resource.RollingOut
	if typ == api.CleanupFleet {
		reason = resource.CleaningUp
	}
	o.set(resource.Progressing, metav1.ConditionTrue, reason, message)
	o.set(resource.Ready, metav1.ConditionUnknown, reason, message)
}

// other tells of a run that the resource did not begin.
func (o *object) other(run runs.Run) {
	message := fmt.Sprintf("a %s that something else began changes the fleet (run %s); this resource waits until it ends", runs.Noun(run.Type), run.RunID)
	o.set(resource.Progressing, metav1.ConditionTrue, resource.OtherRun, message)
	o.set(resource.Ready, metav1.ConditionUnknown, resource.OtherRun, message)
	o.nothingWaits()
}

// follow tells how far the run is that changes the fleet, and approves its wave where an
// annotation says so.
func (r *Reconciler) follow(ctx context.Context, o *object, last runs.Run) (time.Duration, error) {
	if !o.ours(last) {
		o.other(last)
		return whileRunning, nil
	}
	if last.Paused != "" {
		o.progressing(last.Type, fmt.Sprintf("the %s of generation %d is %s", runs.Noun(last.Type), o.status.Run.Generation, last.Paused))
		return whileRunning, nil
	}
	var s api.Status
	if err := runs.Status(ctx, r.Temporal, last.ID, last.RunID, &s); err != nil {
		o.progressing(last.Type, fmt.Sprintf("the %s of generation %d runs, and no worker tells how far it is%s", runs.Noun(last.Type), o.status.Run.Generation, o.where()))
		return whileRunning, nil
	}
	o.progressing(last.Type, fmt.Sprintf("the %s of generation %d is at %s: %s%s", runs.Noun(last.Type), o.status.Run.Generation, s.Phase, tell(s.Count(nil)), o.where()))
	if o.GetGeneration() != o.status.Run.Generation && o.GetDeletionTimestamp().IsZero() {
		o.set(resource.Ready, metav1.ConditionUnknown, resource.RollingOut,
			fmt.Sprintf("generation %d is rolled out when the %s of generation %d has ended", o.GetGeneration(), runs.Noun(last.Type), o.status.Run.Generation))
	}
	return whileRunning, r.approval(ctx, o, last, s)
}

// tell writes how many units are in which state.
func tell(t api.Tally) string {
	var parts []string
	for _, s := range api.States {
		if t[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", t[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// rolledOut tells how the last rollout of the resource ended, and what its schedule found.
func (r *Reconciler) rolledOut(ctx context.Context, o *object, last *runs.Run) (time.Duration, error) {
	if last == nil {
		return whileIdle, r.drift(ctx, o) // Temporal has forgotten it: what was true stays
	}
	outside, err := r.outside(ctx, o, *last)
	if err != nil {
		return 0, err
	}
	if outside != "" {
		o.set(resource.Ready, metav1.ConditionFalse, resource.ChangedOutside, outside)
		o.set(resource.Proven, metav1.ConditionUnknown, resource.ChangedOutside, outside)
		return whileIdle, r.drift(ctx, o)
	}
	var result api.FleetResult
	err = runs.Outcome(ctx, r.Temporal.GetWorkflow(ctx, o.status.Run.Workflow, o.status.Run.Run), &result)
	switch {
	case err == nil:
		o.done(result)
	case runs.Ended(err):
		o.failed(err)
	case runs.IsNotFound(err):
	default:
		return 0, fmt.Errorf("ask Temporal how the rollout ended: %w", err)
	}
	return whileIdle, r.drift(ctx, o)
}

func (o *object) done(result api.FleetResult) {
	o.status.Clusters, o.status.Links, o.status.Proven = len(result.Clusters), len(result.Links), result.Proven
	message := fmt.Sprintf("generation %d is rolled out: %s, %s", o.GetGeneration(), fleet.Count(len(result.Clusters), "cluster"), fleet.Count(len(result.Links), "link"))
	if n := len(result.Stale.Clusters) + len(result.Stale.Links); n > 0 {
		message += fmt.Sprintf("; %s left the spec and stays, since spec.reconcile.prune is not true", fleet.Count(n, "cluster or link"))
	}
	o.set(resource.Ready, metav1.ConditionTrue, resource.RolledOut, message)
	switch proven := fmt.Sprintf("%d of %s proven", result.Proven, fleet.Count(len(result.Links), "link")); {
	case result.Proven == len(result.Links):
		o.set(resource.Proven, metav1.ConditionTrue, resource.AllProven, proven)
	case o.fleet.Spec.Rollout.SkipProof:
		o.set(resource.Proven, metav1.ConditionUnknown, resource.ProofSkipped, proven+": spec.rollout.skipProof is true")
	default:
		o.set(resource.Proven, metav1.ConditionFalse, resource.NotAllProven, proven)
	}
}

func (o *object) failed(err error) {
	reason := resource.RolloutFailed
	var app *temporal.ApplicationError
	switch {
	case runs.Stopped(err) != nil:
		reason = resource.Stopped
	case errors.As(err, &app) && app.Type() == api.TypePartly:
		reason = resource.PartlyFailed
	case errors.As(err, &app) && app.Type() == api.TypePreflight:
		reason = resource.Refused
	}
	o.set(resource.Ready, metav1.ConditionFalse, reason, runs.Message(err)+
		fmt.Sprintf("\nit is tried again when the spec or the annotation %s changes%s", resource.RequestedAt, o.where()))
	o.set(resource.Proven, metav1.ConditionUnknown, reason, "the rollout did not end well, so that not every link was proven")
}

// outside tells what something else than the resource did to the fleet since, and nothing where
// that is no other than the spec wants.
func (r *Reconciler) outside(ctx context.Context, o *object, last runs.Run) (string, error) {
	switch last.Type {
	case api.RotateFleet, api.RestartFleet, api.MoveRoot, api.ImportRoot:
		return "", nil // they renew what is there
	}
	if o.ours(last) {
		return "", nil
	}
	in, err := runs.Input(ctx, r.Temporal, last.ID, last.RunID)
	if err != nil {
		return "", err
	}
	if last.Type == api.RolloutFleet && reflect.DeepEqual(in.Fleet, *o.fleet) { // such as `landbridge retry`
		o.status.Run.Run, o.status.Run.Type = last.RunID, last.Type
		return "", nil
	}
	if last.Type == api.RolloutFleet && in.SelfHeal {
		return "", nil
	}
	by := in.RequestedBy
	if by == "" {
		by = "somebody"
	}
	return fmt.Sprintf("a %s by %s changed the fleet after generation %d was rolled out; it is rolled out again when the spec or the annotation %s changes",
		runs.Noun(last.Type), by, o.status.Run.Generation, resource.RequestedAt), nil
}
