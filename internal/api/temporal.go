package api

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// What activities ask Temporal about a fleet, or tell it. Their ClusterRef names the fleet
// and its task queue, and no cluster.

// IsOpen tells whether a workflow has not ended: it runs, or somebody paused it in Temporal, where it stays
// as it is and keeps its ID until it is unpaused.
func IsOpen(s enumspb.WorkflowExecutionStatus) bool {
	return s == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || s == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED
}

// EndScheduleInput names the fleet whose schedule is deleted.
type EndScheduleInput struct{ ClusterRef }

// EndScheduleResult says whether there was a schedule.
type EndScheduleResult struct {
	Deleted bool `json:"deleted"`
}

// RefreshScheduleInput tells how the clusters of a fleet are reached now.
type RefreshScheduleInput struct {
	ClusterRef
	Reach fleet.Fleet `json:"reach"`
}

// RefreshScheduleResult says whether the schedule knew it otherwise.
type RefreshScheduleResult struct {
	Changed bool `json:"changed"`
}

// WaitChildInput names the child workflow of an earlier run whose end is waited for.
type WaitChildInput struct {
	ClusterRef
	// ID of the workflow.
	ID string `json:"id"`
}

// WaitChildResult is empty: the child has ended.
type WaitChildResult struct{}

// LastChangeInput names the fleet whose last change is looked for.
type LastChangeInput struct{ ClusterRef }

// LastChange describes the last workflow that changed a fleet. Without a Run this
// Temporal knows of none.
type LastChange struct {
	Run string `json:"run,omitempty"`
	// Type of the workflow, such as RolloutFleet.
	Type string `json:"type,omitempty"`
	// Phase tells what it does now, or how it ended, as its search attribute says.
	Phase string `json:"phase,omitempty"`
	// Since is when it began, and Running says that it has not ended.
	Since   time.Time `json:"since,omitzero"`
	Running bool      `json:"running,omitempty"`
}
