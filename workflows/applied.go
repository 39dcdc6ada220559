package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// appliedLast replaces the fleet of an input that has none, but the names of some
// clusters, by what the clusters remember. The result names those that remember anything
// else than the fleet that was applied last.
func appliedLast(ctx workflow.Context, in api.FleetInput) (api.FleetInput, []string, error) {
	var remembered []fleet.Remembered
	var silent []string
	for _, answer := range discover(ctx, in, workflow.GetInfo(ctx).WorkflowExecution.RunID) {
		switch {
		case answer.err != nil:
			_, why := describe(answer.err)
			silent = append(silent, fmt.Sprintf("cluster %s: %s", answer.cluster.Name, strings.TrimPrefix(why, api.Member(answer.cluster.Name).String()+": ")))
		case answer.Inventory == nil:
			silent = append(silent, fmt.Sprintf("cluster %s: it has no inventory", answer.cluster.Name))
		default:
			remembered = append(remembered, fleet.Remembered{Part: *answer.Inventory, Memory: answer.Memory})
		}
	}
	if ctx.Err() != nil {
		return in, nil, ctx.Err()
	}
	if len(remembered) == 0 {
		return in, nil, fail(api.TypePreflight, fmt.Sprintf("no cluster remembers the fleet %s: it was not rolled out yet, or was cleaned up, or these are not its clusters", in.Fleet.Metadata.Name), failuresOf(silent))
	}
	f, last, differ := fleet.Assemble(remembered)
	in.Fleet, in.Applied, in.FromInventories = f, &last, false
	return in, differ, nil
}

// failuresOf lists sentences that have their cluster in them.
func failuresOf(sentences []string) (out []api.Failure) {
	for _, s := range sentences {
		out = append(out, api.Failure{Type: api.TypePreflight, Message: s})
	}
	return out
}

// applies decides which generation the rollout is. Where another one came since the fleet
// was read from the inventories, that is refused: it would be reverted.
func (r *rollout) applies(ctx workflow.Context) (out []api.Failure) {
	if r.in.Applied == nil && r.applied.Generation > 0 {
		return nil // a member is looked at again, which did not answer before
	}
	r.last = fleet.Newest(r.memories())
	if r.in.Applied == nil {
		r.applied = r.last.Next(&r.in.Fleet, workflow.Now(ctx), r.in.Request)
		return nil
	}
	r.applied = *r.in.Applied
	if why := appliedSince(r.applied, r.last); why != "" {
		out = append(out, api.Failure{Type: api.TypePreflight, Message: why})
	}
	return out
}

// appliedSince tells what became of the fleet after a rollout, or nothing where that is
// still the last one.
func appliedSince(was, is fleet.Applied) string {
	switch {
	case was.Same(is):
		return ""
	case is.Generation == 0:
		return fmt.Sprintf("no cluster remembers generation %d any more: a cleanup ran since", was.Generation)
	}
	by, before := is.Line(), "nothing had been applied before"
	if by != "" {
		by = ", " + by
	}
	if was.Generation > 0 {
		before = fmt.Sprintf("this is about generation %d (%s)", was.Generation, was.Digest)
	}
	return fmt.Sprintf("generation %d (%s) was applied since, at %s%s; %s", is.Generation, is.Digest, is.At.Format(time.RFC3339), by, before)
}

// refreshSchedule tells the fleet's schedule how the clusters are reached, after a rollout
// that reached some. Without that a check would ask the clusters of long ago.
func (r *rollout) refreshSchedule(ctx workflow.Context) {
	done := r.each(func(u *unit) bool { _, member := u.Unit.Member(); return member && !u.Removal && u.State == api.Done })
	if r.in.DryRun || r.in.SelfHeal || r.in.Rotate != nil || len(done) == 0 || ctx.Err() != nil {
		return
	}
	if _, err := temporalCall(ctx, "refresh schedule", a.RefreshSchedule,
		api.RefreshScheduleInput{ClusterRef: r.in.FleetRef(r.run), Reach: r.in.Fleet.Reach()}); err != nil {
		workflow.GetLogger(ctx).Warn("cannot refresh the schedule; it keeps asking the clusters that it knows", "error", err)
	}
}
