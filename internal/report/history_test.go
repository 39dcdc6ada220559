package report

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/landbridge/landbridge/internal/api"
)

// A webhook that is down is no failure of the rollout that it was to hear of.
func TestReport_Notifications_AreNoPartOfTheRun(t *testing.T) {
	o := &one{}
	for _, typ := range []string{api.RolloutCluster, api.NotifyFleet} {
		(&gathering{}).event(o, &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionStartedEventAttributes{ChildWorkflowExecutionStartedEventAttributes: &historypb.ChildWorkflowExecutionStartedEventAttributes{
				WorkflowType: &commonpb.WorkflowType{Name: typ}, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: typ}}}})
	}
	require.Len(t, o.children, 1)
	require.Equal(t, api.RolloutCluster, o.children[0].GetWorkflowId())
}

// An auditor asks first who approved which wave, and who skipped what.
func TestReport_Decisions_SayWhichWaveAndWhichUnit(t *testing.T) {
	var said []string
	for _, d := range gather(t, "v0.4.0", "steered").Decisions {
		require.False(t, d.At.IsZero())
		said = append(said, d.String())
	}
	require.NotEmpty(t, said)
	for _, d := range said {
		require.Regexp(t, `^(approve wave \S+|skip (cluster|link) .+|retry (cluster|link) .+|pause|resume|cancel.*), by `, d)
	}
}
