package runs

import (
	"context"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Input returns the input of a workflow that works on a whole fleet.
func Input(ctx context.Context, c client.Client, id, runID string) (in api.FleetInput, err error) {
	began, err := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return in, err
	}
	if err := Decode(began.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0], &in); err != nil {
		return in, fmt.Errorf("read the input of the workflow %s: %w", id, err)
	}
	return in, nil
}

// runsBack limits how many runs of a fleet are looked at for one that was not refused.
const runsBack = 50

// LastInput returns the input of the last run that changed a fleet, or may have. One that
// its preflight refused is passed over as long as there is another: its fleet file may
// have led to clusters under names that they never had.
func LastInput(ctx context.Context, c client.Client, name string) (in api.FleetInput, err error) {
	id := fleet.WorkflowID(name)
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: runsBack, Query: fmt.Sprintf("WorkflowId = %q", id)})
	if err != nil {
		return in, err
	}
	for _, run := range list.GetExecutions() {
		if run.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_FAILED || !refusedRun(ctx, c, run.GetExecution()) {
			return Input(ctx, c, id, run.GetExecution().GetRunId())
		}
	}
	return Input(ctx, c, id, "")
}

// refusedRun tells whether a run that failed was refused by its preflight, and changed
// nothing.
func refusedRun(ctx context.Context, c client.Client, run *commonpb.WorkflowExecution) bool {
	var app *temporal.ApplicationError
	return errors.As(Outcome(ctx, c.GetWorkflow(ctx, run.GetWorkflowId(), run.GetRunId()), nil), &app) && app.Type() == api.TypePreflight
}

// ScheduledInput returns the input with which the fleet's schedule starts its checks, and
// whether there is one.
func ScheduledInput(ctx context.Context, c client.Client, name string) (in api.FleetInput, found bool, err error) {
	d, err := c.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(name)).Describe(ctx)
	if IsNotFound(err) {
		return in, false, nil
	}
	if err != nil {
		return in, false, err
	}
	action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok || len(action.Args) != 1 {
		return in, false, nil
	}
	payload, ok := action.Args[0].(*commonpb.Payload)
	if !ok {
		return in, false, nil
	}
	return in, true, Decode(payload, &in)
}
