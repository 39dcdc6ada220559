package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// pauseSignal names the signal that tells a child, by a bool, whether it has to pause.
const pauseSignal = "pause"

// gate stands before every step of a rollout. While it is shut, steps that run may end
// and no other begins. It passes a pause on to the children that run. The zero gate is
// open.
type gate struct {
	paused   bool
	children []gated
}

// gated names a child that follows a gate.
type gated struct {
	id    string
	child workflow.ChildWorkflowFuture
}

// newGate returns the gate of a child, which its parent shuts and opens.
func newGate(ctx workflow.Context) *gate {
	g := &gate{}
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, pauseSignal)
		for {
			var paused bool
			if !signals.Receive(ctx, &paused) {
				return
			}
			g.set(ctx, paused)
		}
	})
	return g
}

// set shuts or opens the gate, and those of the children that run.
func (g *gate) set(ctx workflow.Context, paused bool) {
	g.paused = paused
	for _, c := range slices.Clone(g.children) {
		workflow.Go(ctx, func(ctx workflow.Context) {
			// The signal fails for a child that has ended, and then changes nothing.
			_ = c.child.SignalChildWorkflow(ctx, pauseSignal, paused).Get(ctx, nil)
		})
	}
}

// wait returns nil as soon as the gate is open, or the context's error.
func (g *gate) wait(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return !g.paused })
}

// watch has a child follow the gate until over is called.
func (g *gate) watch(id string, child workflow.ChildWorkflowFuture) (over func()) {
	g.children = append(g.children, gated{id, child})
	return func() {
		g.children = slices.DeleteFunc(g.children, func(c gated) bool { return c.id == id })
	}
}
