package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/fleet"
)

// expiresSoon is how long before its end a certificate is a drift.
const expiresSoon = 30 * 24 * time.Hour

// maxDrift is how many objects a DriftResult lists.
const maxDrift = 500

// DriftResult is in what the live fleet is not what the fleet file says.
type DriftResult struct {
	Fleet string    `json:"fleet"`
	At    time.Time `json:"at"`
	// Drifted says that anything below is not empty.
	Drifted bool `json:"drifted"`
	// Changes are the objects that a rollout would change, Differs how many there are.
	Changes []PlannedUnit `json:"changes"`
	Differs int           `json:"differs"`
	// Stale left the fleet file and is still there.
	Stale fleet.Stale `json:"stale"`
	// Expiring are certificates that end within 30 days.
	Expiring []Expiring `json:"expiring"`
	// Unproven are the links whose proof fails.
	Unproven []activities.CheckLinkResult `json:"unproven"`
	// Healed says that a rollout put it right; NotHealed why it did not.
	Healed    bool   `json:"healed,omitempty"`
	NotHealed string `json:"notHealed,omitempty"`
}

// Expiring is a certificate that ends soon.
type Expiring struct {
	Of string `json:"of"`
	certs.Facts
}

// DriftFleet compares the live fleet with the fleet file and changes nothing,
// unless the input says ForceConflicts: then a rollout of its own puts right what differs.
// It ends without an error where there is drift: the result says so.
func DriftFleet(ctx workflow.Context, in FleetInput) (DriftResult, error) {
	name, id := in.Fleet.Metadata.Name, workflow.GetInfo(ctx).WorkflowExecution.ID
	out := DriftResult{Fleet: name, At: workflow.Now(ctx), Changes: []PlannedUnit{}, Expiring: []Expiring{}, Unproven: []activities.CheckLinkResult{}}
	found := attributes(FleetKey.ValueSet(name))
	look := in
	look.ForceConflicts, look.DryRun, look.Prune = false, true, false
	var plan FleetResult
	if err := runChild(ctx, id+".plan", "plan", found, PlanFleet, look, &plan); err != nil {
		return out, err
	}
	out.compare(plan, workflow.Now(ctx))
	if !in.Fleet.Spec.Rollout.SkipProof {
		var proof VerifyResult
		if err := runChild(ctx, id+".verify", "verify", found, VerifyFleet, look, &proof); err != nil {
			return out, err
		}
		for _, l := range proof.Links {
			if !l.Proven {
				out.Unproven = append(out.Unproven, l)
			}
		}
	}
	out.Drifted = out.Differs > 0 || len(out.Expiring) > 0 || len(out.Unproven) > 0 || !out.Stale.Empty()
	phase := Done
	if out.Drifted {
		phase = "drifted"
	}
	setPhase(ctx, phase)
	if out.Drifted && in.ForceConflicts {
		out.mend(ctx, in)
	}
	return out, nil
}

func (r *DriftResult) compare(plan FleetResult, now time.Time) {
	for _, u := range plan.Plan {
		var changes []fleet.Change
		for _, c := range u.Changes {
			if c.Action == fleet.Keep {
				continue
			}
			if r.Differs++; r.Differs <= maxDrift {
				changes = append(changes, c)
			}
		}
		if len(changes) > 0 {
			r.Changes = append(r.Changes, PlannedUnit{u.Unit, changes})
		}
	}
	r.Stale = plan.Stale
	soon := func(of string, f certs.Facts) {
		if !f.NotAfter.IsZero() && f.NotAfter.Sub(now) < expiresSoon {
			r.Expiring = append(r.Expiring, Expiring{of, f})
		}
	}
	soon("root", plan.Root)
	for _, c := range plan.Clusters {
		soon(c.Name, c.Certificate)
	}
}

// mend rolls the fleet out under its one ID, the lock: where something else is
// changing the fleet, that is not waited for.
func (r *DriftResult) mend(ctx workflow.Context, in FleetInput) {
	if in.Request.Reason == "" {
		in.Request.Reason = "drift"
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: fleet.WorkflowID(in.Fleet.Metadata.Name), StaticSummary: "mend",
		TypedSearchAttributes: attributes(FleetKey.ValueSet(in.Fleet.Metadata.Name), PhaseKey.ValueSet(Pending),
			ReasonKey.ValueSet(in.Request.Reason), RequestedByKey.ValueSet(in.Request.RequestedBy)),
	})
	if err := workflow.ExecuteChildWorkflow(child, RolloutFleet, in).Get(ctx, nil); err != nil {
		_, why := describe(err)
		r.NotHealed = fmt.Sprintf("the rollout did not end well: %s", why)
		return
	}
	r.Healed = true
}
