package workflows

import (
	"context"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// compensation is the undo list of a running rollout of one cluster or link. Each
// entry is written before its step acts, so that whatever the step did, known
// or not, is taken back. What was there before is safe all the same: an undo
// removes only what carries this run's mark.
type compensation struct {
	unit    string
	rollout fleet.Rollout
	entries []entry
	changes []fleet.Change
	status  *unitStatus
	// gate is shut while a rollout is paused; nothing holds up an undo.
	gate *gate
}

type entry struct {
	step string
	undo func(context.Context, api.RemoveInput) (fleet.Changes, error)
	in   api.RemoveInput
}

func newCompensation(unit string, r fleet.Rollout) *compensation {
	return &compensation{unit: unit, rollout: r, status: &unitStatus{UnitStatus: api.UnitStatus{Unit: unit}}}
}

// stepInput is what an EnsureX takes.
type stepInput interface {
	Ref() api.ClusterRef
	Undo() api.RemoveInput
}

// stepResult is what an EnsureX gives.
type stepResult interface {
	All() []fleet.Change
	Created() bool
}

// step runs one numbered step of the guide: the undo is in the compensation before
// the action begins, and leaves it when the action made nothing new.
func step[I stepInput, R stepResult](ctx workflow.Context, l *compensation, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error),
	undo func(context.Context, api.RemoveInput) (fleet.Changes, error), in I) (R, error) {
	if !in.Ref().DryRun {
		l.entries = append(l.entries, entry{name, undo, in.Undo()})
	}
	result, err := call(ctx, l, policy, name, do, in)
	if err != nil {
		return result, err
	}
	if !in.Ref().DryRun && !result.Created() {
		l.entries = l.entries[:len(l.entries)-1]
	}
	l.changes = append(l.changes, result.All()...)
	return result, nil
}

// call runs an activity that has nothing to undo, on its cluster's task queue,
// with the summary that the Temporal UI shows.
func call[I interface{ Ref() api.ClusterRef }, R any](ctx workflow.Context, l *compensation, policy workflow.ActivityOptions, name string,
	do func(context.Context, I) (R, error), in I) (R, error) {
	if err := l.gate.wait(ctx); err != nil {
		var none R
		return none, &stepError{name, err}
	}
	l.status.begin(ctx, name)
	policy.TaskQueue, policy.Summary = in.Ref().TaskQueue, summary(name, in.Ref())
	policy.WaitForCancellation = true // what is undone must not still be at work
	var result R
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, policy), do, in).Get(ctx, &result)
	if err != nil {
		l.status.end(ctx, api.Failed, err)
		return result, &stepError{name, err}
	}
	l.status.end(ctx, api.Done, nil)
	return result, nil
}

func summary(step string, s api.ClusterRef) string {
	if s.Cluster == "" {
		return step + " · root"
	}
	return step + " · " + s.Cluster
}

// settle ends a cluster or link: where it failed or was cancelled, what this run
// made is taken back, newest first. It returns nil, the cancellation, or one
// typed error.
func (l *compensation) settle(ctx workflow.Context, err error) error {
	if err == nil {
		return nil
	}
	f := failureOf(l.unit, err)
	f.State = api.StateUndone
	if l.rollout.OnFailure == fleet.OnFailureKeep && !temporal.IsCanceledError(err) {
		f.State = api.StateKept
		return failUnit(api.TypeUnit, f)
	}
	f.Left = l.undo(ctx)
	if len(f.Left) > 0 {
		f.State = api.StateLeft
	}
	if temporal.IsCanceledError(err) && len(f.Left) == 0 {
		return temporal.NewCanceledError(l.unit + " was canceled and undone")
	}
	return failUnit(api.TypeUnit, f)
}

// undo takes back what is in the compensation, newest first, detached from any
// cancellation, and returns what it could not.
func (l *compensation) undo(ctx workflow.Context) (left []string) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if len(l.entries) > 0 {
		setPhase(ctx, "undoing")
	}
	l.gate = nil
	gone := unreachable{}
	for i := len(l.entries) - 1; i >= 0; i-- {
		e := l.entries[i]
		if gone.skip(ctx, e.in.Cluster) {
			left = append(left, e.step)
			continue
		}
		if _, err := call(ctx, l, undoCall(l.rollout), "undo "+e.step, e.undo, e.in); err != nil {
			typ, msg := describe(err)
			gone.note(e.in.Cluster, typ, i)
			left = append(left, e.step+": "+fleet.Brief(msg, maxLeft))
		}
	}
	l.entries = nil
	return left
}
