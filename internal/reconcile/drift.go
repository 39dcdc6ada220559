package reconcile

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

// checksBack limits how many of the last checks are read for one that could compare.
const checksBack = 5

// drift keeps the fleet's schedule as the spec says, and tells what the last check found.
func (r *Reconciler) drift(ctx context.Context, o *object) error {
	if err := r.schedule(ctx, o); err != nil {
		return err
	}
	s, err := runs.ReadSchedule(ctx, r.Temporal, o.GetName(), checksBack)
	switch {
	case runs.IsNotFound(err):
		o.set(resource.Drifted, metav1.ConditionUnknown, resource.NotChecked, "the fleet has no schedule; spec.reconcile.checkEvery or `landbridge schedule` sets one")
		return nil
	case err != nil:
		return fmt.Errorf("read the fleet's schedule: %w", err)
	}
	for _, c := range s.Last {
		if c.Error == "" && (c.Result == nil || c.Result.Busy != nil) {
			continue // it runs, or compared nothing
		}
		o.drifted(c)
		return nil
	}
	o.set(resource.Drifted, metav1.ConditionUnknown, resource.NotChecked, "no check has compared the clusters yet; the fleet is checked every "+s.Every)
	return nil
}

// drifted tells what a check found. The message has no time in it that would change at each check.
func (o *object) drifted(c runs.Check) {
	switch {
	case c.Error != "":
		o.set(resource.Drifted, metav1.ConditionUnknown, resource.CheckFailed, "the last check failed: "+c.Error)
	case !c.Result.Drifted:
		o.set(resource.Drifted, metav1.ConditionFalse, resource.InSync, "the last check found the clusters as they were rolled out")
	case c.Result.Healed:
		o.set(resource.Drifted, metav1.ConditionFalse, resource.InSync, "the last check found "+c.Result.Summary()+", and repaired it")
	default:
		o.set(resource.Drifted, metav1.ConditionTrue, resource.DriftFound, fmt.Sprintf("the last check found %s; `landbridge drift %s` shows it", c.Result.Summary(), o.GetName()))
	}
}

// schedule sets the fleet's schedule where the spec has one, and deletes it where the spec had one
// before.
func (r *Reconciler) schedule(ctx context.Context, o *object) error {
	want, re := "", o.fleet.Spec.Reconcile
	if every := re.CheckEvery.Std(); every > 0 {
		want = "every " + every.String()
		if re.SelfHeal {
			want += " with self-heal"
		}
	}
	if want == o.status.Schedule {
		return nil
	}
	var err error
	if want == "" {
		err = r.Temporal.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(o.GetName())).Delete(ctx)
		if runs.IsNotFound(err) {
			err = nil
		}
	} else {
		err = runs.SetSchedule(ctx, r.Temporal, api.FleetInput{Fleet: *o.fleet, SelfHeal: re.SelfHeal, Request: o.request()}, re.CheckEvery.Std())
	}
	if err != nil {
		return fmt.Errorf("set the fleet's schedule: %w", err)
	}
	o.status.Schedule = want
	return nil
}
