package report

import (
	"bytes"
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

// A run that lay still for hours waited for somebody, and the report says for what.
func TestReport_Waits_AreInThePictureAndInWords(t *testing.T) {
	r := gather(t, "v0.4.0", "steered")
	what := map[string]int{}
	for _, w := range r.Waits {
		what[w.For]++
		require.NotNil(t, w.Ended, "the run has ended")
		require.False(t, w.Ended.Before(w.Began))
	}
	require.Equal(t, map[string]int{"approval": what["approval"], "resume": 1}, what)
	require.NotZero(t, what["approval"])
	var page bytes.Buffer
	require.NoError(t, r.HTML(&page))
	require.Contains(t, page.String(), "The run waited for an approval from <time")
	require.Contains(t, page.String(), `<rect class="bar waiting"`)
	require.Contains(t, page.String(), "<td>approve wave ")
	requireAccessible(t, r)
}
