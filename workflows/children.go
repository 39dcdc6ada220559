package workflows

import (
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// runChild runs a child to its end. Its ID follows from what it works on, so
// that one of an earlier run which still undoes its steps is waited for, and
// never doubled.
func runChild(ctx workflow.Context, id, title string, found temporal.SearchAttributes, child, in, out any) error {
	return (*gate)(nil).runChild(ctx, id, title, found, child, in, out)
}

// runChild runs a child behind the gate.
func (g *gate) runChild(ctx workflow.Context, id, title string, found temporal.SearchAttributes, child, in, out any) error {
	for {
		if err := g.wait(ctx); err != nil {
			return err
		}
		childCtx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            id,
			StaticSummary:         title,
			TypedSearchAttributes: found,
			ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			WaitForCancellation:   true,
		})
		running := workflow.ExecuteChildWorkflow(childCtx, child, in)
		over := g.watch(id, running)
		err := running.Get(ctx, out)
		over()
		if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return err
		}
		if err := workflow.Sleep(ctx, busyChildPoll); err != nil {
			return err
		}
	}
}

// inParallel calls work for 0 to n-1, at most limit at once, and returns when
// all are done. Results are to be put by index, so that their order is fixed.
func inParallel(ctx workflow.Context, n, limit int, work func(workflow.Context, int)) {
	p := &pool{work: work}
	for i := range n {
		p.queue = append(p.queue, i)
	}
	p.run(ctx, limit)
}

// pool works on what is in its queue, which may grow meanwhile.
type pool struct {
	queue  []int
	active int
	work   func(workflow.Context, int)
}

// run returns when the queue is empty and all work is done.
func (p *pool) run(ctx workflow.Context, limit int) {
	// Cancellation must reach the work, not keep it from being started and noted.
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	for {
		_ = workflow.Await(free, func() bool { return p.active == 0 || len(p.queue) > 0 && p.active < limit })
		if len(p.queue) == 0 {
			return
		}
		next := p.queue[0]
		p.queue = p.queue[1:]
		p.active++
		workflow.Go(ctx, func(ctx workflow.Context) {
			p.work(ctx, next)
			p.active--
		})
	}
}
