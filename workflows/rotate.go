package workflows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RotateFleet gives sources new tokens for their targets, or clusters new intermediates, as they
// were rolled out last, or brings the fleet one phase nearer to another root, and changes nothing
// else. What is new is proven before the old one goes; where that fails, the old one stays in
// force, and the error names the link or the cluster.
func RotateFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	if in.Rotate == nil {
		in.Rotate = &api.Rotation{}
	}
	if in.FromInventories {
		applied, _, err := appliedLast(ctx, in)
		if err != nil {
			return api.FleetResult{}, err
		}
		in = applied
	}
	return rolloutFleet(ctx, in)
}

// CheckTokens renews the tokens and the intermediates that are due, under the one ID of all that
// changes the fleet. While something else is changing it, none is looked at: the next time is
// soon enough.
func CheckTokens(ctx workflow.Context, in api.FleetInput) (api.RotationCheck, error) {
	out := api.RotationCheck{Fleet: in.Fleet.Metadata.Name}
	now, err := lastChange(ctx, in)
	if err != nil || now.Running {
		out.Busy = &now
		setPhase(ctx, "busy")
		return out, err
	}
	if in, _, err = appliedLast(ctx, in); err != nil {
		return out, err
	}
	if in.Fleet.Spec.Credentials.Tokens.Lifetime > 0 {
		err = renewDue(ctx, in, api.Rotation{Due: true}, "tokens that are due", &out)
	}
	if in.Fleet.RenewsIntermediates() && out.Busy == nil && ctx.Err() == nil {
		err = cmp.Or(err, renewDue(ctx, in, api.Rotation{Due: true, Intermediates: true}, "certificates that are due", &out))
	}
	if out.Busy == nil {
		setPhase(ctx, endPhase(ctx, err))
	}
	return out, err
}

// renewDue runs a rotation of what is due, and notes what it did.
func renewDue(ctx workflow.Context, in api.FleetInput, what api.Rotation, reason string, out *api.RotationCheck) error {
	in.Rotate, in.Request.Reason = &what, reason
	var done api.FleetResult
	err := change(ctx, rotationNoun, RotateFleet, in, &done)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		out.Busy = &api.LastChange{Running: true}
		return nil
	}
	out.Renewed += done.Renewed
	out.Tokens.Merge(done.Tokens)
	out.Intermediates = append(out.Intermediates, done.Intermediates...)
	return err
}

// rotate gives the links that are asked for new tokens, or the members new intermediates. The
// waves keep their order; nobody approves them, since what fails keeps what it had.
func (r *rollout) rotate(ctx workflow.Context) error {
	if r.in.Rotate.OfCAs() {
		if err := r.rootsToSign(ctx); err != nil {
			return err
		}
	}
	links := r.in.Fleet.Links()
	for _, u := range r.list {
		link, isLink := u.Unit.Link()
		name, isMember := u.Unit.Member()
		if u.State == api.Pending && (isLink && !r.in.Rotate.Has(link) || isMember && !r.in.Rotate.Touches(links, name)) {
			u.leaveOut(false, "")
		}
	}
	for n := range r.allWaves {
		if r.rolloutWave(ctx, n); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return r.endRootChange(ctx)
}

// rotateMember renews a member's intermediate, or asks a source for the key to which its new
// tokens are sealed.
func (r *rollout) rotateMember(ctx workflow.Context, u *unit) {
	if r.in.Rotate.OfCAs() {
		r.rotateIntermediate(ctx, u)
		return
	}
	name, _ := u.Unit.Member()
	var err error
	if u.source {
		var key api.EnsureSealingKeyResult
		key, err = fleetCall(ctx, stepSealingKey.policy(limitsOf(r.in.Fleet)), stepSealingKey.String(), a.EnsureSealingKey, api.EnsureSealingKeyInput{ClusterRef: r.ref(name)})
		u.result.Recipient = key.Recipient
	}
	u.end(err)
	r.show(ctx)
}

// issuedBefore returns the moment before which each token counts as old, or none where only
// those that are due are renewed.
func (r *rollout) issuedBefore(ctx workflow.Context) time.Time {
	if r.in.Rotate == nil || r.in.Rotate.Due {
		return time.Time{}
	}
	return workflow.GetInfo(ctx).WorkflowStartTime
}

// setRotation sets up the schedule that renews tokens, as long as the clusters really gave them,
// and intermediates, or removes it where none of them ends any more.
func (r *rollout) setRotation(ctx workflow.Context) error {
	lifetime, before := r.in.Fleet.Spec.Credentials.Tokens.Lifetime.Std(), false
	for _, part := range r.inventories() {
		before = before || part.RenewalEvery(part.Spec.Credentials.Tokens.Lifetime.Std()) > 0
	}
	if r.in.DryRun || ctx.Err() != nil || r.in.Fleet.RenewalEvery(lifetime) == 0 && !before {
		return nil
	}
	if lifetime > 0 && r.tokens.Ending > 0 {
		lifetime = min(lifetime, r.tokens.Shortest)
	}
	in := api.SetRotationInput{ClusterRef: r.in.FleetRef(r.run), Reach: r.in.Fleet.Reach(), Every: r.in.Fleet.RenewalEvery(lifetime),
		Partly: lifetime != 0 && r.tokens.Ending < len(r.in.Fleet.Links())}
	_, err := temporalCall(ctx, "set rotation", a.SetRotation, in)
	if err == nil {
		return nil
	}
	_, why := describe(err)
	return r.fail(api.TypeFailed, "the schedule that renews credentials could not be set, and they end; roll out again",
		failuresOf([]string{fmt.Sprintf("schedule %s: %s", fleet.RotationID(r.Fleet), strings.TrimSpace(why))}))
}
