package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// Steps that do not need each other run beside each other, in lanes. Each lane runs its steps in
// the order of their table, as the whole unit does. What a unit undoes is in the order of the
// table, whichever lane was faster.

// lane runs some steps of a unit one after the other. Its unit has the same status and gate.
type lane func(workflow.Context, *unitRun) error

// beside runs lanes beside each other, until all have ended. Where one fails, the others are
// canceled: their unit is about to be undone. It returns the error of the one that failed first.
func (u *unitRun) beside(ctx workflow.Context, lanes ...lane) (first error) {
	steps, cancel := workflow.WithCancel(u.steps(ctx))
	defer cancel()
	all := workflow.NewWaitGroup(ctx)
	runs := make([]*unitRun, len(lanes))
	for i, run := range lanes {
		own := *u
		own.inLane, own.changes, own.compensations = true, nil, nil
		runs[i] = &own
		all.Add(1)
		workflow.Go(steps, func(ctx workflow.Context) {
			defer all.Done()
			if err := run(ctx, &own); err != nil && first == nil {
				first = err
				cancel()
			}
		})
	}
	all.Wait(ctx)
	for _, own := range runs {
		u.join(own)
	}
	return first
}

// join takes over what a lane did.
func (u *unitRun) join(own *unitRun) {
	u.next = max(u.next, own.next)
	u.stands = u.stands || own.stands
	u.changes = append(u.changes, own.changes...)
	u.compensations = append(u.compensations, own.compensations...)
	slices.SortStableFunc(u.compensations, func(a, b compensation) int { return a.at - b.at })
}

// steps returns the context in which the unit's steps run: the gate ends them, and another lane
// that failed those of a lane.
func (u *unitRun) steps(ctx workflow.Context) workflow.Context {
	if u.inLane {
		return ctx
	}
	return u.gate.steps(ctx)
}
