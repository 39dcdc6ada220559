package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// planNow has a child plan the fleet as it is now.
func (r *rollout) planNow(ctx workflow.Context, id string) (is api.FleetResult, err error) {
	r.phase(ctx, "plan")
	look := r.in
	look.Plan, look.Prune, look.ForceConflicts, look.DryRun = nil, false, false, true
	err = r.gate.runChild(ctx, child{r.id + "." + id, "plan", attributes(api.FleetKey.ValueSet(r.Fleet)), PlanFleet}, look, &is)
	return is, err
}

// changes tells whether wave n has something to change, as the waves before it left the
// fleet. Where nobody can tell, it has; and where one of its members does not know the
// fleet yet, that needs no plan.
func (r *rollout) changes(ctx workflow.Context, n int) bool {
	if fresh := func(u *unit) bool {
		_, member := u.Unit.Member()
		return member && u.wave == n && u.check.Inventory == nil
	}; len(r.each(fresh)) > 0 {
		return true
	}
	is, err := r.planNow(ctx, fmt.Sprintf("plan.%d", n))
	if err != nil || len(is.Unreachable) > 0 {
		return true
	}
	return slices.ContainsFunc(is.Plan, func(p api.PlannedUnit) bool {
		u := r.get(p.Unit)
		return u != nil && u.wave == n && slices.ContainsFunc(p.Changes, func(c fleet.Change) bool { return c.Action != fleet.Keep })
	})
}

// planHolds returns an error where the rollout has a plan, and the fleet is not any more
// as it was for that.
func (r *rollout) planHolds(ctx workflow.Context) error {
	want := r.in.Plan
	if want == nil || r.in.DryRun {
		return nil
	}
	is, err := r.planNow(ctx, "plan")
	if err != nil {
		return err
	}
	var since []api.Failure
	if why := appliedSince(want.Last, is.Last); why != "" {
		since = append(since, api.Failure{Type: api.TypePreflight, Message: why})
	} else {
		since = want.Since(api.PlanOf(is, workflow.Now(ctx)))
	}
	if len(since) == 0 {
		return nil
	}
	return r.fail(api.TypePreflight, fmt.Sprintf("the plan of %s does not hold any more, and nothing was changed; plan again", want.At.Format(time.RFC3339)), since)
}
