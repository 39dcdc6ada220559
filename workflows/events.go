package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The runs that nobody steers and that channels hear of, in their words.
const (
	forgetNoun  = "forget"
	revokeNoun  = "revoke"
	restartNoun = "restart"
	driftNoun   = "drift check"
)

// tellWaiting tells that the wave which WaitsFor names waits for its approval, and what
// failed before it.
func (r *steered) tellWaiting(ctx workflow.Context) {
	n := notice{event: fleet.OnWaiting, what: r.noun, wave: r.WaitsFor,
		text: subject(r.noun, r.in) + " waits for the approval of wave " + r.WaitsFor,
		next: "landbridge approve " + r.Fleet + " --wave " + r.WaitsFor}
	for _, u := range r.failed() {
		n.failures = append(n.failures, u.failure.String())
	}
	tell(ctx, r.in, n)
}

// tellEnd tells how a run ended that changes the fleet. One that somebody canceled tells
// nobody: there is a person who knows.
func tellEnd(ctx workflow.Context, in api.FleetInput, what string, err error) {
	n := notice{what: what}
	switch endPhase(ctx, err) {
	case string(api.Done):
		n.event, n.text = fleet.OnDone, subject(what, in)+" is done"
	case string(api.Failed):
		_, why := describe(err)
		lines := strings.Split(why, "\n")
		n.event, n.text, n.failures = fleet.OnFailed, subject(what, in)+" failed: "+lines[0], lines[1:]
		n.next = "landbridge status " + in.Fleet.Metadata.Name // it ends with what to do then
	default:
		return
	}
	tell(ctx, in, n)
}

// telling runs a workflow that changes a fleet, and tells how it ended.
func telling[R any](ctx workflow.Context, in api.FleetInput, what string, do func(workflow.Context, api.FleetInput) (R, error)) (R, error) {
	out, err := do(ctx, in)
	tellEnd(ctx, in, what, err)
	return out, err
}

// subject names a run at the beginning of a sentence.
func subject(what string, in api.FleetInput) string {
	of := " of the fleet " + in.Fleet.Metadata.Name
	switch what {
	case forgetNoun:
		return "the removal of the lost cluster " + in.Forget + of
	case revokeNoun:
		return "the revocation of " + fleet.Count(len(in.Revoke), "link") + of
	case restartNoun:
		return "the restart of istiod in cluster " + in.Restart + of
	}
	return "the " + what + of
}

// tellsOfEnd tells whether channels hear of the end of a rollout. A schedule looks every
// few hours for credentials that are due: where it finds none, there is nothing to tell.
func (r *rollout) tellsOfEnd(err error) bool {
	return err != nil || r.in.Rotate == nil || !r.in.Rotate.Due || r.renewed > 0 || len(r.intermediates) > 0
}

// scheduledBy has the ID of the schedule that started a workflow; Temporal sets it.
var scheduledBy = temporal.NewSearchAttributeKeyKeyword("TemporalScheduledById")

// tellDrift tells what the fleet's schedule found. Who checks by hand sees it himself.
func (c *driftCheck) tellDrift(ctx workflow.Context, found api.DriftResult) {
	if by, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(scheduledBy); by != fleet.ScheduleID(found.Fleet) {
		return
	}
	n := notice{event: fleet.OnDrifted, what: driftNoun, text: "the scheduled check of the fleet " + found.Fleet + " found drift",
		failures: driftLines(found), next: "landbridge drift " + found.Fleet}
	if c.in.SelfHeal {
		n.text += "; a rollout repairs what it can"
	}
	tell(ctx, c.in, n)
}

// driftLines lists what differs: first what carries no requests, then what is to be repaired.
func driftLines(r api.DriftResult) (out []string) {
	for _, f := range r.Unreachable {
		out = append(out, f.String())
	}
	for _, l := range r.Unproven {
		out = append(out, "link "+l.Link+": "+l.Sentence())
	}
	for _, u := range r.Changes {
		out = append(out, fmt.Sprintf("%s: not as it was rolled out: %s", u.Unit, fleet.Count(len(u.Changes), "object")))
	}
	for _, e := range r.Expiring {
		out = append(out, fmt.Sprintf("the certificate of %s ends at %s", e.Of, e.NotAfter.UTC().Format(time.RFC3339)))
	}
	for _, c := range r.Stale.Clusters {
		out = append(out, "cluster "+c.Name+": it left the fleet file and still exists")
	}
	for _, l := range r.Stale.Links {
		out = append(out, "link "+l.String()+": it left the fleet file and still exists")
	}
	for _, name := range r.Differ {
		out = append(out, "cluster "+name+": it remembers another rollout than the last one")
	}
	return out
}
