package workflows

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// child describes a child workflow: its ID, its title in the UI, the search attributes
// that find it, and its function.
type child struct {
	id, title string
	found     temporal.SearchAttributes
	workflow  any
}

// runChild runs a child to its end, and has it follow the gate. Its ID follows from its
// unit: where the child of an earlier run still undoes the steps of that unit, runChild
// waits for it, so that two never work on one unit.
func (g *gate) runChild(ctx workflow.Context, c child, in, out any) error {
	for again := busyChild; ; again = min(2*again, mostBusyChild) {
		if err := g.wait(ctx); err != nil {
			return err
		}
		childCtx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            c.id,
			StaticSummary:         c.title,
			TypedSearchAttributes: c.found,
			ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			WaitForCancellation:   true,
		})
		running := workflow.ExecuteChildWorkflow(childCtx, c.workflow, in)
		over := g.watch(c.id, running)
		err := running.Get(ctx, out)
		over()
		if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return err
		}
		if err := waitChild(ctx, c, again); err != nil {
			return err
		}
	}
}

// change runs what a schedule found to be done, under the one ID of all that changes the fleet.
// It does not wait where something else has that ID.
func change(ctx workflow.Context, title string, work any, in api.FleetInput, out any) error {
	name := in.Fleet.Metadata.Name
	return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: fleet.WorkflowID(name), StaticSummary: title,
		// Where the check ends before, this undoes its open steps, and is waited for.
		ParentClosePolicy: enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL, WaitForCancellation: true,
		TypedSearchAttributes: attributes(api.FleetKey.ValueSet(name), api.PhaseKey.ValueSet(string(api.Pending)),
			api.ReasonKey.ValueSet(in.Request.Reason), api.RequestedByKey.ValueSet(in.Request.RequestedBy)),
	}), work, in).Get(ctx, out)
}

// waitChild waits until the child of an earlier run has ended. A worker that may not ask
// Temporal waits as long as it is told.
func waitChild(ctx workflow.Context, c child, otherwise time.Duration) error {
	policy := waitCall()
	policy.Summary = "wait for " + c.title + " of an earlier run"
	_, err := titled(ctx, policy, policy.Summary, a.WaitChild, api.WaitChildInput{ClusterRef: api.ClusterRef{Contract: api.Contract}, ID: c.id})
	if err != nil && ctx.Err() == nil {
		return workflow.Sleep(ctx, otherwise)
	}
	return ctx.Err()
}

// inParallel calls work for 0 to n-1, at most limit at once, and returns when all are
// done. work stores its result by index, so that the order of results is fixed.
func inParallel(ctx workflow.Context, n, limit int, work func(workflow.Context, int)) {
	next := 0
	pool(ctx, limit, func() bool { return next < n }, func() func(workflow.Context) {
		i := next
		next++
		return func(ctx workflow.Context) { work(ctx, i) }
	})
}

// pool takes work as long as there is more, at most limit at once, and returns when all
// is done. Work that ends may bring more.
func pool(ctx workflow.Context, limit int, more func() bool, take func() func(workflow.Context)) {
	// A cancellation reaches the work itself. It must not keep work from being taken,
	// since each piece notes for its unit that it was canceled.
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	active := 0
	for {
		_ = workflow.Await(free, func() bool { return active == 0 || active < limit && more() })
		if !more() {
			return
		}
		work := take()
		active++
		workflow.Go(ctx, func(ctx workflow.Context) {
			work(ctx)
			active--
		})
	}
}
