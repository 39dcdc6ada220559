package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// expiresSoon sets how long before its end a certificate counts as drift.
const expiresSoon = 30 * 24 * time.Hour

// maxDrift limits how many objects a DriftResult lists.
const maxDrift = 500

// DriftFleet compares the live fleet with the fleet file, or without one with what was
// applied last, and changes nothing, unless the input has SelfHeal: then it starts a
// rollout that repairs what differs. Drift is no error; the result tells of it. While the
// fleet is being changed nothing is compared.
func DriftFleet(ctx workflow.Context, in api.FleetInput) (api.DriftResult, error) {
	c := &driftCheck{id: workflow.GetInfo(ctx).WorkflowExecution.ID, in: in}
	before, err := lastChange(ctx, in)
	if err != nil || before.Running {
		return c.busy(ctx, before), err
	}
	if in.FromInventories {
		if c.in, c.differ, err = appliedLast(ctx, in); err != nil {
			return c.result(ctx), err
		}
	}
	out := c.result(ctx)
	if err = c.compare(ctx, &out); err != nil || out.Drifted {
		// What a rollout changes meanwhile is no drift.
		if now, asked := lastChange(ctx, c.in); asked == nil && now.Run != before.Run {
			return c.busy(ctx, now), nil
		}
	}
	if err != nil {
		return out, err
	}
	phase := string(api.Done)
	if out.Drifted {
		phase = "drifted"
	}
	setPhase(ctx, phase)
	if out.Drifted {
		c.tellDrift(ctx, out)
	}
	if in.SelfHeal && (repairable(out) || len(out.Differ) > 0) {
		c.selfHeal(ctx, &out)
	}
	return out, ctx.Err()
}

// driftCheck holds a check under way.
type driftCheck struct {
	id string
	in api.FleetInput
	// differ names the members that remember anything else than was applied last.
	differ []string
}

// result returns an empty one.
func (c *driftCheck) result(ctx workflow.Context) api.DriftResult {
	return api.DriftResult{Fleet: c.in.Fleet.Metadata.Name, At: workflow.Now(ctx), Applied: c.in.Applied, Differ: c.differ,
		Changes: []api.PlannedUnit{}, Expiring: []api.Expiring{}, Unproven: []api.CheckLinkResult{}}
}

// busy returns the result of a check during which the fleet was changed.
func (c *driftCheck) busy(ctx workflow.Context, by api.LastChange) api.DriftResult {
	out := c.result(ctx)
	out.Busy, out.Differ = &by, nil
	setPhase(ctx, "busy")
	return out
}

// lastChange asks Temporal which workflow changed the fleet last.
func lastChange(ctx workflow.Context, in api.FleetInput) (api.LastChange, error) {
	return temporalCall(ctx, "last change", a.CheckLastChange, api.LastChangeInput{ClusterRef: in.FleetRef(workflow.GetInfo(ctx).WorkflowExecution.RunID)})
}

// compare looks for all that differs.
func (c *driftCheck) compare(ctx workflow.Context, out *api.DriftResult) error {
	found := attributes(api.FleetKey.ValueSet(out.Fleet))
	look := c.in
	look.SelfHeal, look.ForceConflicts, look.DryRun, look.Prune = false, false, true, false
	look.ForceVersion = true // a version that somebody else changed is drift, and no error
	var plan api.FleetResult
	if err := (&gate{}).runChild(ctx, child{c.id + ".plan", "plan", found, PlanFleet}, look, &plan); err != nil {
		return err
	}
	note(out, plan, workflow.Now(ctx))
	if !c.in.Fleet.Spec.Rollout.SkipProof {
		var proof api.VerifyResult
		if err := (&gate{}).runChild(ctx, child{c.id + ".verify", "verify", found, VerifyFleet}, look, &proof); err != nil {
			return err
		}
		for _, l := range proof.Links {
			if !l.Proven {
				out.Unproven = append(out.Unproven, l)
			}
		}
	}
	out.Drifted = out.Differs > 0 || len(out.Expiring) > 0 || len(out.Unproven) > 0 || len(out.Unreachable) > 0 || !out.Stale.Empty() || len(out.Differ) > 0
	return nil
}

// note adds to a result what a plan shows.
func note(r *api.DriftResult, plan api.FleetResult, now time.Time) {
	last := plan.Last.Generation > 0 && plan.Applied.Same(plan.Last)
	for _, u := range plan.Plan {
		var changes []fleet.Change
		there := slices.ContainsFunc(u.Changes, func(c fleet.Change) bool { return c.Action != fleet.Create })
		for _, c := range u.Changes {
			if c.Action == fleet.Keep {
				continue
			}
			// A unit that has other objects was rolled out, by the file that it is compared with.
			c.Deleted = last && there && c.Action == fleet.Create
			if r.Differs++; r.Differs <= maxDrift {
				changes = append(changes, c)
			}
		}
		if len(changes) > 0 {
			r.Changes = append(r.Changes, api.PlannedUnit{Unit: u.Unit, Changes: changes})
		}
	}
	r.Unreachable, r.Stale, r.Istio, r.RootUnlike = plan.Unreachable, plan.Stale, api.IstioOf(plan.Clusters), plan.RootUnlike
	r.Tokens, r.ReadsSecrets = plan.Tokens, plan.ReadsSecrets
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

// selfHeal rolls out what was applied last, under the one ID of all that changes the fleet.
// It does not wait where something else is changing the fleet, and does not repair what
// the members do not agree on: the last rollout did not reach all of them, and a person
// decides whether it goes on. The result tells why.
func (c *driftCheck) selfHeal(ctx workflow.Context, r *api.DriftResult) {
	if len(c.differ) > 0 {
		r.NotHealed = fmt.Sprintf("the inventories of %s differ: the last rollout did not reach each cluster, or somebody changed an inventory; roll the fleet file out", strings.Join(c.differ, ", "))
		return
	}
	in := c.in
	in.ForceConflicts = true
	if in.Request.Reason == "" {
		in.Request.Reason = "drift"
	}
	err := change(ctx, "self-heal", RolloutFleet, in, nil)
	switch {
	case err == nil:
		r.Healed = true
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		r.NotHealed = "a rollout or cleanup of the fleet began meanwhile"
	default:
		_, why := describe(err)
		r.NotHealed = "the rollout that should repair it failed: " + why
	}
}
