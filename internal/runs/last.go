package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Run describes a workflow that changed a fleet, or is at it.
type Run struct {
	// Fleet, by name.
	Fleet string
	// ID and RunID of the workflow, and its type, such as api.RolloutFleet.
	ID, RunID, Type string
	Status          enumspb.WorkflowExecutionStatus
	// Paused says who paused the run by Temporal's own means, and what to do. Empty: nobody did.
	Paused string
}

// Running tells whether the run has not ended.
func (r Run) Running() bool { return api.IsOpen(r.Status) }

// Paused tells who paused a workflow by Temporal's own means, and what to do. Landbridge's pause holds the
// next step; this one holds the whole workflow, decisions included, while its limits run on.
func Paused(d *workflowservice.DescribeWorkflowExecutionResponse) string {
	if d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED {
		return ""
	}
	out, by := "paused in Temporal", d.GetWorkflowExtendedInfo().GetPauseInfo()
	if by.GetIdentity() != "" {
		out += fmt.Sprintf(" by %s since %s", by.GetIdentity(), by.GetPausedTime().AsTime().Local().Format(time.RFC3339))
	}
	if by.GetReason() != "" {
		out += ": " + by.GetReason()
	}
	return out + "; unpause it there (`temporal workflow unpause`), or nothing goes on"
}

// UnknownError reports a fleet that a Temporal namespace knows nothing of.
type UnknownError struct {
	// Fleet, by name.
	Fleet string
}

// Error says why that may be.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("this Temporal knows nothing of a fleet %s: no rollout or cleanup of it ran here, or its history is older than the retention", e.Fleet)
}

// Last finds the last workflow that changed a fleet, whether it runs or has ended. The error is an
// *UnknownError where there is none.
func Last(ctx context.Context, c client.Client, name string) (Run, error) {
	id := fleet.WorkflowID(name)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if IsNotFound(err) {
		return Run{}, &UnknownError{name}
	}
	if err != nil {
		return Run{}, err
	}
	info := d.GetWorkflowExecutionInfo()
	return Run{name, id, info.GetExecution().GetRunId(), info.GetType().GetName(), info.GetStatus(), Paused(d)}, nil
}

// Status reads the status of a workflow into an api.Status. It fails where no
// worker answers.
func Status(ctx context.Context, c client.Client, id, runID string, out any) error {
	v, err := c.QueryWorkflow(ctx, id, runID, api.StatusQuery)
	if err != nil {
		return err
	}
	return v.Get(out)
}

// IsNotFound tells whether Temporal has no such workflow or schedule.
func IsNotFound(err error) bool {
	var e *serviceerror.NotFound
	return errors.As(err, &e)
}

// Decode reads what Temporal hands on as it is stored: memos, search attributes, inputs.
func Decode(p *commonpb.Payload, out any) error {
	return converter.GetDefaultDataConverter().FromPayload(p, out)
}
