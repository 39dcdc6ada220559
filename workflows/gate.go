package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The signals to a child, with a bool: whether it has to pause, or to end with what is
// open kept as it is.
const (
	pauseSignal = "pause"
	keepSignal  = "keep"
)

// gate stands before every step of a rollout. While it is shut, steps that run may end
// and no other begins. It passes a pause, and an end that keeps, on to the children that
// run. The zero gate is open.
type gate struct {
	paused bool
	// kept says that the run ends, and that nothing is undone.
	kept     bool
	children []gated
	// own is the context of a child's own steps, and end cancels it.
	own workflow.Context
	end workflow.CancelFunc
}

// gated names a child that follows a gate.
type gated struct {
	id    string
	child workflow.ChildWorkflowFuture
}

// newGate returns the gate of a child, which its parent shuts and opens.
func newGate(ctx workflow.Context) *gate {
	g := &gate{}
	g.own, g.end = workflow.WithCancel(ctx)
	follow(ctx, pauseSignal, g.set)
	follow(ctx, keepSignal, func(ctx workflow.Context, _ bool) { g.keep(ctx) })
	return g
}

// follow does what a signal tells, each time that it comes.
func follow(ctx workflow.Context, signal string, do func(workflow.Context, bool)) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, signal)
		for {
			var on bool
			if !signals.Receive(ctx, &on) {
				return
			}
			do(ctx, on)
		}
	})
}

// set shuts or opens the gate, and those of the children that run.
func (g *gate) set(ctx workflow.Context, paused bool) {
	g.paused = paused
	g.tell(ctx, pauseSignal, paused)
}

// keep ends the steps behind the gate, and behind those of the children that run, and has
// nothing undone. The children are not canceled from above: a cancellation may reach them
// before the signal, and then they undo.
func (g *gate) keep(ctx workflow.Context) {
	g.kept = true
	g.tell(ctx, keepSignal, true)
	if g.end != nil {
		g.end()
	}
}

// tell sends a signal to the children that run.
func (g *gate) tell(ctx workflow.Context, signal string, on bool) {
	for _, c := range slices.Clone(g.children) {
		workflow.Go(ctx, func(ctx workflow.Context) {
			// The signal fails for a child that has ended, and then changes nothing.
			_ = c.child.SignalChildWorkflow(ctx, signal, on).Get(ctx, nil)
		})
	}
}

// wait returns nil as soon as the gate is open, or the reason why nothing begins any more.
func (g *gate) wait(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return g.kept || !g.paused }); err != nil {
		return err
	}
	if g.kept {
		return temporal.NewCanceledError()
	}
	return nil
}

// steps returns the context in which the steps behind the gate run.
func (g *gate) steps(ctx workflow.Context) workflow.Context {
	if g.own != nil {
		return g.own
	}
	return ctx
}

// watch has a child follow the gate until over is called.
func (g *gate) watch(id string, child workflow.ChildWorkflowFuture) (over func()) {
	g.children = append(g.children, gated{id, child})
	return func() {
		g.children = slices.DeleteFunc(g.children, func(c gated) bool { return c.id == id })
	}
}
