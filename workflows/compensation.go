package workflows

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// unitRun runs the steps of one unit, in the order of their table. It registers each
// compensation before the step acts, so that whatever the step did, known or not, is
// undone. Objects that existed before are safe all the same: an undo removes only what
// carries this run's mark.
type unitRun struct {
	unit   api.Unit
	dryRun bool
	limits limits
	// next holds the place in the table after the step that ran last.
	next          int
	compensations []compensation
	changes       []fleet.Change
	status        *board
	// inLane says that its steps run beside others, in a context that the gate ends, too.
	inLane bool
	// stands says that the unit works as it is: what fails from then on undoes nothing.
	stands bool
	// gate holds the next step while a rollout is paused. An undo does not wait for it.
	gate *gate
}

// compensation undoes a step that may have acted.
type compensation struct {
	step row
	// at is the place of the step in its table.
	at int
	// cluster where it works.
	cluster string
	undo    undoing
}

// undoing undoes a step of a unit whose work has ended.
type undoing func(workflow.Context, *unitRun) error

// undoFirst has the compensation of a step put something back before it undoes the step. Where
// that fails, the step stays: something still needs what it made.
func (u *unitRun) undoFirst(step int, putBack undoing) {
	c := &u.compensations[slices.IndexFunc(u.compensations, func(c compensation) bool { return c.at == step })]
	undo := c.undo
	c.undo = func(ctx workflow.Context, u *unitRun) error {
		if err := putBack(ctx, u); err != nil {
			return err
		}
		return undo(ctx, u)
	}
}

// undoneBy returns the compensation of a step, in a cluster.
func (s step[I, R]) undoneBy(cluster string, undo undoing) compensation {
	return compensation{s.row, s.at, cluster, undo}
}

// removed returns the compensation that removes what a step made, as a cleanup does.
func (s step[I, R]) removed(in api.RemoveInput) compensation {
	return s.undoneBy(in.Cluster, func(ctx workflow.Context, u *unitRun) error {
		_, err := call(ctx, u, task[api.RemoveInput, fleet.Changes]{"undo " + s.String(), undoCall(u.limits), s.table.steps[s.at].undo}, in)
		return err
	})
}

// newUnitRun begins the work on a unit, and shows its steps under the unit's name. It
// pauses with its parent.
func newUnitRun(ctx workflow.Context, ref api.ClusterRef, unit api.Unit, l limits) (*unitRun, error) {
	status, err := newUnitBoard(ctx, ref.Fleet, unit, unit.String())
	return &unitRun{unit: unit, dryRun: ref.DryRun, limits: l, status: status, gate: newGate(ctx)}, err
}

// run runs one step. Its undo is registered before the action begins, and dropped when
// the action made nothing new. A step that stands before the one that ran last in
// their table is a fault of the workflow's code.
func run[I located, R any](ctx workflow.Context, u *unitRun, s step[I, R], in I) (R, error) {
	if s.at < u.next {
		panic(fmt.Sprintf("step %s stands before the step that ran last", s.row))
	}
	u.next = s.at + 1
	changes := s.table.steps[s.at].undo != nil && !in.Ref().DryRun
	if changes {
		u.compensations = append(u.compensations, s.removed(any(in).(undoable).Undo()))
	}
	result, err := call(ctx, u, task[I, R]{s.String(), s.policy(u.limits), s.do}, in)
	if err != nil {
		return result, err
	}
	if did, ok := any(result).(changing); ok {
		if changes && !did.Created() {
			u.compensations = u.compensations[:len(u.compensations)-1]
		}
		u.changes = append(u.changes, did.All()...)
	}
	return result, nil
}

// task holds an activity with its name and its limits.
type task[I located, R any] struct {
	name   string
	policy workflow.ActivityOptions
	do     func(context.Context, I) (R, error)
}

// call runs an activity on its cluster's task queue, with the summary that the Temporal
// UI shows.
func call[I located, R any](ctx workflow.Context, u *unitRun, t task[I, R], in I) (R, error) {
	if err := u.gate.wait(ctx); err != nil {
		var none R
		return none, &stepError{api.StepWords(t.name), err}
	}
	if timed, ok := any(&in).(interface{ Begin(time.Time) }); ok {
		timed.Begin(workflow.Now(ctx))
	}
	at := u.stepBegins(ctx, t.name)
	t.policy.WaitForCancellation = true // its undo must not begin while the step is still at work
	result, err := fleetCall(u.steps(ctx), t.policy, t.name, t.do, in)
	u.stepEnds(ctx, at, err)
	return result, err
}

// stepBegins shows in the status that a step begins, and returns its place there for stepEnds.
func (u *unitRun) stepBegins(ctx workflow.Context, step string) int {
	state := u.status.list[0]
	state.Steps = append(state.Steps, api.StepState{Step: step, State: api.Running, Began: workflow.Now(ctx)})
	u.status.show(ctx)
	return len(state.Steps) - 1
}

// stepEnds shows how a step ended.
func (u *unitRun) stepEnds(ctx workflow.Context, at int, err error) {
	last := &u.status.list[0].Steps[at]
	last.State, last.Took = api.Done, workflow.Now(ctx).Sub(last.Began)
	if err != nil {
		last.State = api.Failed
		_, last.Message = describeFor(u.unit, err)
	}
	u.status.show(ctx)
}

// summary returns the line that the Temporal UI shows for an activity: "4 namespaces ·
// west".
func summary(step string, ref api.ClusterRef) string {
	if ref.Cluster == "" {
		return step + " · root"
	}
	return step + " · " + ref.Cluster
}

// finish ends a unit. Where it failed or was canceled, finish undoes what this run made,
// newest first, unless onFailure is keep. It returns nil, the cancellation, or one error
// of TypeUnit.
func (u *unitRun) finish(ctx workflow.Context, err error) error {
	if err == nil {
		u.status.list[0].move(api.Done)
		u.status.show(ctx)
		return nil
	}
	f := failureOf(u.unit, err)
	f.State = api.StateUndone
	switch {
	case u.dryRun: // there is nothing to undo, and nobody should think there was
		f.State = ""
	case u.stands || u.gate.kept || u.limits.OnFailure == fleet.OnFailureKeep && !temporal.IsCanceledError(err):
		f.State = api.StateKept
	default:
		if f.Left = u.compensate(ctx); len(f.Left) > 0 {
			f.State = api.StateLeft
		} else if updated := u.updated(); len(updated) > 0 && !temporal.IsCanceledError(err) {
			f.State, f.Left = api.StateUpdated, updated
		}
	}
	u.status.list[0].fail(f)
	u.status.show(ctx)
	if temporal.IsCanceledError(err) && len(f.Left) == 0 && f.State != api.StateKept {
		return canceled(u.unit, u.dryRun)
	}
	return failUnit(api.TypeUnit, f)
}

// canceled returns the cancellation of a unit, and says what became of its changes.
func canceled(unit api.Unit, dryRun bool) error {
	if dryRun {
		return temporal.NewCanceledError(unit.String() + " was canceled")
	}
	return temporal.NewCanceledError(unit.String() + " was canceled and undone")
}

// updated names the objects that were there before and that this run changed, without
// Landbridge's own: an undo removes what is new, and does not know what was there.
func (u *unitRun) updated() (out []string) {
	const most = 4
	for _, c := range u.changes {
		switch {
		case c.Action != fleet.Update || c.Namespace == fleet.SystemNamespace:
		case len(out) == most:
			return append(out, "and more")
		case c.Namespace == "":
			out = append(out, c.Kind+" "+c.Name)
		default:
			out = append(out, c.Kind+" "+c.Namespace+"/"+c.Name)
		}
	}
	return out
}

// compensate undoes what this run made, newest first, detached from any cancellation.
// It returns the steps that it could not undo, with the reasons.
func (u *unitRun) compensate(ctx workflow.Context) (left []string) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if len(u.compensations) > 0 {
		setPhase(ctx, "undoing")
	}
	u.gate = &gate{}
	lost := unreachable{}
	for i := len(u.compensations) - 1; i >= 0; i-- {
		c := u.compensations[i]
		if _, skip := lost[c.cluster]; skip {
			left = append(left, c.step.name)
			continue
		}
		if err := c.undo(ctx, u); err != nil {
			typ, msg := describeFor(u.unit, err)
			lost.note(c.cluster, typ, i)
			left = append(left, c.step.name+": "+fleet.Brief(msg, maxLeft))
		}
	}
	u.compensations = nil
	return left
}
