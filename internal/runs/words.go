package runs

import (
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/landbridge/landbridge/internal/api"
)

// Noun returns the word for people of a type of workflow.
func Noun(workflowType string) string {
	switch workflowType {
	case api.RolloutFleet:
		return "rollout"
	case api.CleanupFleet:
		return "cleanup"
	case api.MoveRoot:
		return "move of the root"
	case api.ImportRoot:
		return "import of the root"
	case api.ForgetFleet:
		return "forget"
	case api.RevokeFleet:
		return "revoke"
	case api.RestartFleet:
		return "restart"
	case api.RotateFleet:
		return "rotation"
	}
	return workflowType
}

// Word returns the word for people of a workflow's status.
func Word(s enumspb.WorkflowExecutionStatus) string {
	switch s {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return "running"
	case enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return "paused"
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return "done"
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "canceled"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "terminated"
	}
	return "failed"
}
