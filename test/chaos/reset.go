package main

import (
	"context"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// resetRollout begins a rollout anew in the Temporal UI while it runs. The command tells
// that its run is over; the next one joins the run that the reset began, which waits for
// the children of the one before.
func resetRollout(at string) func(context.Context, *scene) error {
	return func(ctx context.Context, s *scene) error {
		if err := stopped(at, resetRun)(ctx, s); err != nil {
			return err
		}
		said := s.rolled.out
		if err := s.roll(ctx); err != nil {
			return err
		}
		if s.rolled.code != 0 {
			return fmt.Errorf("the rollout that the reset began: exit code %d\n%s\nafter\n%s", s.rolled.code, s.rolled.out, said)
		}
		return nil
	}
}

func resetRun(ctx context.Context, s *scene) {
	id := "landbridge." + s.fleetName
	s.inUI(func(c client.Client) error {
		run, first, err := firstTask(ctx, c, id)
		if err != nil {
			return err
		}
		_, err = c.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{Namespace: "default", RequestId: fmt.Sprint(time.Now().UnixNano()),
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}, Reason: "chaos", WorkflowTaskFinishEventId: first})
		return err
	})
}

// firstTask returns the run of a workflow, and the end of its first task, where the UI
// offers to begin anew.
func firstTask(ctx context.Context, c client.Client, id string) (run string, event int64, err error) {
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return "", 0, err
	}
	run = d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	for history := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); history.HasNext(); {
		e, err := history.Next()
		if err != nil {
			return "", 0, err
		}
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return run, e.GetEventId(), nil
		}
	}
	return "", 0, fmt.Errorf("workflow %s has not begun", id)
}
