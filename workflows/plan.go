package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// planHolds returns an error where the rollout has a plan, and the fleet is not any more
// as it was for that.
func (r *rollout) planHolds(ctx workflow.Context) error {
	want := r.in.Plan
	if want == nil || r.in.DryRun {
		return nil
	}
	r.phase(ctx, "plan")
	look := r.in
	look.Plan, look.Prune, look.ForceConflicts, look.DryRun = nil, false, false, true
	var is api.FleetResult
	if err := r.gate.runChild(ctx, child{r.id + ".plan", "plan", attributes(api.FleetKey.ValueSet(r.Fleet)), PlanFleet}, look, &is); err != nil {
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
