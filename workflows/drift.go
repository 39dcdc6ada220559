package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// expiresSoon sets how long before its end a certificate counts as drift.
const expiresSoon = 30 * 24 * time.Hour

// maxDrift limits how many objects a DriftResult lists.
const maxDrift = 500

// DriftFleet compares the live fleet with the fleet file and changes nothing, unless the
// input has SelfHeal: then it starts a rollout that repairs what differs. Drift is
// no error; the result tells of it.
func DriftFleet(ctx workflow.Context, in api.FleetInput) (api.DriftResult, error) {
	name, id := in.Fleet.Metadata.Name, workflow.GetInfo(ctx).WorkflowExecution.ID
	out := api.DriftResult{Fleet: name, At: workflow.Now(ctx), Changes: []api.PlannedUnit{}, Expiring: []api.Expiring{}, Unproven: []api.CheckLinkResult{}}
	found := attributes(api.FleetKey.ValueSet(name))
	look := in
	look.SelfHeal, look.ForceConflicts, look.DryRun, look.Prune = false, false, true, false
	look.ForceVersion = true // a version that somebody else changed is drift, and no error
	var plan api.FleetResult
	if err := (&gate{}).runChild(ctx, child{id + ".plan", "plan", found, PlanFleet}, look, &plan); err != nil {
		return out, err
	}
	compare(&out, plan, workflow.Now(ctx))
	if !in.Fleet.Spec.Rollout.SkipProof {
		var proof api.VerifyResult
		if err := (&gate{}).runChild(ctx, child{id + ".verify", "verify", found, VerifyFleet}, look, &proof); err != nil {
			return out, err
		}
		for _, l := range proof.Links {
			if !l.Proven {
				out.Unproven = append(out.Unproven, l)
			}
		}
	}
	out.Drifted = out.Differs > 0 || len(out.Expiring) > 0 || len(out.Unproven) > 0 || len(out.Unreachable) > 0 || !out.Stale.Empty()
	phase := string(api.Done)
	if out.Drifted {
		phase = "drifted"
	}
	setPhase(ctx, phase)
	if in.SelfHeal && repairable(out) {
		selfHeal(ctx, &out, in)
	}
	return out, nil
}

func compare(r *api.DriftResult, plan api.FleetResult, now time.Time) {
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
			r.Changes = append(r.Changes, api.PlannedUnit{Unit: u.Unit, Changes: changes})
		}
	}
	r.Unreachable, r.Stale, r.Istio = plan.Unreachable, plan.Stale, api.IstioOf(plan.Clusters)
	soon := func(of string, f api.CertificateFacts) {
		if !f.NotAfter.IsZero() && f.NotAfter.Sub(now) < expiresSoon {
			r.Expiring = append(r.Expiring, api.Expiring{Of: of, CertificateFacts: f})
		}
	}
	soon("root", plan.Root)
	for _, c := range plan.Clusters {
		soon(c.Name, c.Certificate)
	}
}

// repairable tells whether something differs that a rollout could repair: it does not
// bring back a member that does not answer, nor prove the links of one.
func repairable(r api.DriftResult) bool {
	if r.Differs > 0 || len(r.Expiring) > 0 || !r.Stale.Empty() {
		return true
	}
	return slices.ContainsFunc(r.Unproven, func(l api.CheckLinkResult) bool {
		unit, err := api.ParseUnit("link " + l.Link)
		return err != nil || !slices.ContainsFunc(r.Unreachable, func(f api.Failure) bool {
			name, _ := f.Unit.Member()
			return unit.Touches(name)
		})
	})
}

// selfHeal rolls the fleet out under the one ID of all that changes it. Where something
// else is changing the fleet, selfHeal does not wait, and notes it in the result.
func selfHeal(ctx workflow.Context, r *api.DriftResult, in api.FleetInput) {
	in.SelfHeal, in.ForceConflicts = false, true
	if in.Request.Reason == "" {
		in.Request.Reason = "drift"
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: fleet.WorkflowID(in.Fleet.Metadata.Name), StaticSummary: "self-heal",
		TypedSearchAttributes: attributes(api.FleetKey.ValueSet(in.Fleet.Metadata.Name), api.PhaseKey.ValueSet(string(api.Pending)),
			api.ReasonKey.ValueSet(in.Request.Reason), api.RequestedByKey.ValueSet(in.Request.RequestedBy)),
	})
	if err := workflow.ExecuteChildWorkflow(child, RolloutFleet, in).Get(ctx, nil); err != nil {
		_, why := describe(err)
		r.NotHealed = fmt.Sprintf("the rollout that should repair it failed: %s", why)
		return
	}
	r.Healed = true
}
