package runs

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// past is a Temporal with some runs of a fleet, the newest first: each rolled out a file
// with a cluster, and ended with an error.
type past []struct {
	cluster string
	end     error
}

// remembering is its client.
type remembering struct {
	client.Client
	past
}

func (r remembering) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for i, run := range r.past {
		status := enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		if run.end != nil {
			status = enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
		}
		out.Executions = append(out.Executions, &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: "landbridge.prod", RunId: strconv.Itoa(i)}, Status: status})
	}
	return out, nil
}

func (r remembering) at(run string) *rolling {
	i, _ := strconv.Atoi(run) // "" is the newest
	return &rolling{rollout: api.FleetInput{Fleet: fleet.Fleet{Metadata: fleet.Metadata{Name: r.past[i].cluster}}}, dryRun: r.past[i].end}
}

func (r remembering) GetWorkflow(_ context.Context, _, run string) client.WorkflowRun {
	return r.at(run)
}

func (r remembering) GetWorkflowHistory(_ context.Context, _, run string, _ bool, _ enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return r.at(run)
}

// Whoever asks for a fleet by its name means the fleet that is there, and not a file with
// renamed or swapped clusters that was refused since.
func TestLastInput_PassesOverWhatWasRefused(t *testing.T) {
	refused := temporal.NewNonRetryableApplicationError("the preflight found problems; nothing was changed", api.TypePreflight, nil)
	failed := temporal.NewNonRetryableApplicationError("1 cluster failed", api.TypeFailed, nil)
	for want, runs := range map[string]past{
		"last":   {{"last", nil}, {"older", nil}},
		"failed": {{"renamed", refused}, {"swapped", refused}, {"failed", failed}, {"older", nil}},
		"typo":   {{"typo", refused}},
	} {
		in, err := LastInput(t.Context(), remembering{past: runs}, "prod")
		require.NoError(t, err)
		require.Equal(t, want, in.Fleet.Metadata.Name)
	}
}
