package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// steered holds the state of a rollout or cleanup that people can steer.
type steered struct {
	*board
	in api.FleetInput
	// noun names the run for people: rollout or cleanup.
	noun string
	gate *gate
	// over says that the run takes no updates any more.
	over bool
	// canceled is the decision to cancel the run, which cancel carries out.
	canceled *api.Decision
	cancel   workflow.CancelFunc
}

// decision describes an update by which people steer a run: a transition of units, or of
// the gate, with its validator.
type decision struct {
	name string
	// validate refuses the update with an error for people. It changes nothing.
	validate func(*steered, api.DecisionInput) error
	// apply returns one sentence that tells what follows.
	apply func(workflow.Context, *steered, api.DecisionInput) string
}

// decisions lists what people can decide about a rollout. A cleanup takes all but a retry:
// whoever repeats it removes what is left.
var decisions = []decision{
	{api.UpdateApprove, mayApprove, approve},
	{api.UpdatePause, mayPause, pause},
	{api.UpdateResume, mayResume, resume},
	{api.UpdateRetry, mayRetry, retry},
	{api.UpdateSkip, maySkip, skip},
	{api.UpdateCancel, mayCancel, cancel},
}

// steer lets a run take updates.
func (r *steered) steer(ctx workflow.Context, decisions []decision) error {
	for _, d := range decisions {
		err := workflow.SetUpdateHandlerWithOptions(ctx, d.name, func(ctx workflow.Context, in api.DecisionInput) (string, error) {
			said := d.apply(ctx, r, in)
			r.show(ctx)
			return said, nil
		}, workflow.UpdateHandlerOptions{Description: d.name + " a " + r.noun, Validator: func(in api.DecisionInput) error {
			if in.By == "" {
				return fmt.Errorf("nobody is named as the one who decides; set the field by")
			}
			if r.over {
				return fmt.Errorf("the %s is about to end: there is nothing to %s any more", r.noun, d.name)
			}
			return d.validate(r, in)
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// close shows how the run ended. Each update that was accepted gets its answer before that.
func (r *steered) close(ctx workflow.Context, err error) {
	r.phase(ctx, endPhase(ctx, err))
	if ctx.Err() == nil {
		_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	}
}

// decided adds a decision to the status and to the report. The history has it as an
// update already.
func (r *steered) decided(ctx workflow.Context, d api.Decision, in api.DecisionInput) {
	d.At, d.By, d.Reason = workflow.Now(ctx), in.By, in.Reason
	r.Decisions = append(r.Decisions, d)
}

func mayApprove(r *steered, in api.DecisionInput) error {
	switch {
	case in.Wave != "" && r.approved(in.Wave) != nil:
		return nil
	case r.WaitsFor == "":
		return fmt.Errorf("no wave waits for an approval")
	case in.Wave != "" && in.Wave != r.WaitsFor:
		return fmt.Errorf("wave %s does not wait for an approval, wave %s does", in.Wave, r.WaitsFor)
	case r.in.Fleet.Spec.Rollout.Approvers == fleet.ApproversOthers && in.By == r.in.RequestedBy:
		return fmt.Errorf("%s asked for this %s, and spec.rollout.approvers wants somebody else to approve it", in.By, r.noun)
	}
	return nil
}

// approved returns the decision by which somebody approved a wave, or nil.
func (r *steered) approved(wave string) *api.Decision {
	i := slices.IndexFunc(r.Decisions, func(d api.Decision) bool { return d.What == api.UpdateApprove && d.Wave == wave })
	if i < 0 {
		return nil
	}
	return &r.Decisions[i]
}

// waitFor has what is pending of wave n wait for its approval.
func (r *steered) waitFor(name string, n int) {
	r.WaitsFor = name
	for _, u := range r.each(func(u *unit) bool { return u.wave == n && u.State == api.Pending }) {
		u.move(api.Waiting)
	}
}

// waits tells whether a wave waits: nobody approved it, or skipped all of it.
func (r *steered) waits() bool {
	return r.WaitsFor != "" && slices.ContainsFunc(r.list, func(u *unit) bool { return u.State == api.Waiting })
}

// approve lets the units of the waiting wave begin. Approving a wave once more changes
// nothing.
func approve(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	if d := r.approved(in.Wave); in.Wave != "" && d != nil {
		return fmt.Sprintf("wave %s was approved already, by %s", in.Wave, d.By)
	}
	wave := r.WaitsFor
	r.WaitsFor = ""
	for _, u := range r.each(func(u *unit) bool { return u.State == api.Waiting }) {
		u.move(api.Pending)
	}
	r.decided(ctx, api.Decision{What: api.UpdateApprove, Wave: wave}, in)
	return fmt.Sprintf("wave %s begins", wave)
}

func mayPause(r *steered, _ api.DecisionInput) error {
	if r.gate.paused {
		return fmt.Errorf("the %s is paused already", r.noun)
	}
	return nil
}

func pause(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	r.Paused = true
	r.gate.set(ctx, true)
	r.decided(ctx, api.Decision{What: api.UpdatePause}, in)
	return "the " + r.noun + " is paused: steps that run may end, and no other begins"
}

func mayResume(r *steered, _ api.DecisionInput) error {
	if !r.gate.paused {
		return fmt.Errorf("the %s is not paused", r.noun)
	}
	return nil
}

func resume(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	r.Paused = false
	r.gate.set(ctx, false)
	r.decided(ctx, api.Decision{What: api.UpdateResume}, in)
	return "the " + r.noun + " goes on"
}

func mayRetry(r *steered, in api.DecisionInput) error {
	u := r.get(in.Unit)
	switch {
	case u == nil:
		return fmt.Errorf("the fleet has no %s", in.Unit)
	case u.Removal || in.Unit == api.Root():
		return fmt.Errorf("%s cannot be retried while this rollout runs; roll out again", in.Unit)
	case !u.State.IsFailure():
		return fmt.Errorf("%s is %s; only what failed can be retried (failed so far: %s)", in.Unit, u.State, names(r.failed()))
	}
	return nil
}

// retry makes a failed unit pending: it is rolled out again before its wave ends.
func retry(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	r.get(in.Unit).move(api.Pending)
	r.decided(ctx, api.Decision{What: api.UpdateRetry, Unit: in.Unit}, in)
	return in.Unit.String() + " is retried"
}

func maySkip(r *steered, in api.DecisionInput) error {
	u := r.get(in.Unit)
	switch {
	case u == nil:
		return fmt.Errorf("the fleet has no %s", in.Unit)
	case in.Unit == api.Root():
		return fmt.Errorf("%s cannot be skipped; only clusters and links can", in.Unit)
	case r.noun == cleanupNoun && u.State.IsFailure():
		return fmt.Errorf("%s is %s: what is left of it stays already", in.Unit, u.State)
	case !u.State.CanBecome(api.Skipped):
		return fmt.Errorf("%s is %s; only what failed or has not begun can be skipped", in.Unit, u.State)
	}
	return nil
}

// skip leaves a unit out, and with a member those of its links that have not begun.
func skip(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	skipped := r.get(in.Unit)
	skipped.leaveOut(true, "")
	if name, ok := in.Unit.Member(); ok {
		for _, u := range r.each(func(u *unit) bool { return u.Unit.Touches(name) && u.Removal == skipped.Removal }) {
			u.leaveOut(true, "")
		}
	}
	r.decided(ctx, api.Decision{What: api.UpdateSkip, Unit: in.Unit}, in)
	return in.Unit.String() + " is skipped"
}

// names lists units, or returns "none".
func names(units []*unit) string {
	var out []string
	for _, u := range units {
		out = append(out, u.Unit.String())
	}
	return cmp.Or(strings.Join(out, ", "), "none")
}
