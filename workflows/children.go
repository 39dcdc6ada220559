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
	for {
		childCtx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            id,
			StaticSummary:         title,
			TypedSearchAttributes: found,
			ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			WaitForCancellation:   true,
		})
		err := workflow.ExecuteChildWorkflow(childCtx, child, in).Get(ctx, out)
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
	gate := workflow.NewSemaphore(ctx, int64(limit))
	group := workflow.NewWaitGroup(ctx)
	// Cancellation must reach the work, not keep it from being started and noted.
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	for i := range n {
		if err := gate.Acquire(free, 1); err != nil {
			return
		}
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			defer gate.Release(1)
			work(ctx, i)
		})
	}
	group.Wait(free)
}
