package activities

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// schedules has one schedule, or answers with an error.
type schedules struct {
	client.ScheduleClient
	client.ScheduleHandle
	ids    []string
	input  *commonpb.Payload
	queue  string
	err    error
	writes int
}

func (s *schedules) GetHandle(_ context.Context, id string) client.ScheduleHandle {
	s.ids = append(s.ids, id)
	return s
}

func (s *schedules) Delete(context.Context) error {
	s.writes++
	return s.err
}

// Update does as the SDK does: it hands the input out as Temporal has it.
func (s *schedules) Update(_ context.Context, o client.ScheduleUpdateOptions) error {
	if s.err != nil {
		return s.err
	}
	update, err := o.DoUpdate(client.ScheduleUpdateInput{Description: client.ScheduleDescription{Schedule: client.Schedule{
		Action: &client.ScheduleWorkflowAction{Args: []any{s.input}, TaskQueue: s.queue}}}})
	if errors.Is(err, temporal.ErrSkipScheduleUpdate) {
		return nil
	}
	if err != nil {
		return err
	}
	action := update.Schedule.Action.(*client.ScheduleWorkflowAction)
	s.writes++
	s.queue = action.TaskQueue
	s.input, err = converter.GetDefaultDataConverter().ToPayload(action.Args[0])
	return err
}

func reach(path string) fleet.Fleet {
	f := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}, Spec: fleet.Spec{TaskQueue: "ours", Clusters: []fleet.Cluster{{Name: "east", Kubeconfig: fleet.Kubeconfig{Path: path}}}}}
	return f.Reach()
}

func TestEndSchedule_DeletesIt_OrSaysThatThereIsNone(t *testing.T) {
	s := &schedules{}
	deleted, err := endSchedules(t.Context(), s, "prod")
	require.NoError(t, err)
	require.True(t, deleted)
	require.Equal(t, []string{"landbridge.prod.drift", "landbridge.prod.rotation"}, s.ids)
	deleted, err = endSchedules(t.Context(), &schedules{err: serviceerror.NewNotFound("no such schedule")}, "prod")
	require.NoError(t, err)
	require.False(t, deleted)
	_, err = endSchedules(t.Context(), &schedules{err: serviceerror.NewPermissionDenied("no", "")}, "prod")
	require.ErrorContains(t, err, "delete the schedule landbridge.prod.drift in Temporal: no")
}

func TestRefreshSchedule_WritesOnlyWhatIsNew_AndKeepsTheRest(t *testing.T) {
	input, err := converter.GetDefaultDataConverter().ToPayload(api.FleetInput{Fleet: reach("old"), SelfHeal: true, Request: fleet.Request{Reason: "CHG-3"}})
	require.NoError(t, err)
	s := &schedules{input: input, queue: "theirs"}
	for _, changes := range []bool{true, false} {
		changed, err := new(Activities).refreshSchedule(t.Context(), s, reach("new"))
		require.NoError(t, err)
		require.Equal(t, changes, changed)
	}
	require.Equal(t, 1, s.writes)
	require.Equal(t, "ours", s.queue)
	in, err := new(Activities).scheduled(s.input)
	require.NoError(t, err)
	require.Equal(t, api.FleetInput{Fleet: reach("new"), SelfHeal: true, Request: fleet.Request{Reason: "CHG-3"}}, in)

	changed, err := new(Activities).refreshSchedule(t.Context(), &schedules{err: serviceerror.NewNotFound("no such schedule")}, reach("new"))
	require.NoError(t, err)
	require.False(t, changed)
	_, err = new(Activities).refreshSchedule(t.Context(), &schedules{err: serviceerror.NewPermissionDenied("no", "")}, reach("new"))
	require.ErrorContains(t, err, "refresh the schedule landbridge.prod.drift in Temporal: no")
	_, err = new(Activities).refreshSchedule(t.Context(), &schedules{input: &commonpb.Payload{Data: []byte("?")}}, reach("new"))
	require.Error(t, err, "what cannot be read is not replaced")
}

// changes has the last workflow that changed a fleet, or an error.
type changes struct {
	client.Client
	status enumspb.WorkflowExecutionStatus
	err    error
}

func (c changes) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-1"}, Type: &commonpb.WorkflowType{Name: api.RolloutFleet}, Status: c.status}}, c.err
}

func TestLastChange_RunsOrHasEnded_OrNeverWas(t *testing.T) {
	for status, runs := range map[enumspb.WorkflowExecutionStatus]bool{enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING: true, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED: false} {
		got, err := lastChange(t.Context(), changes{status: status}, "prod")
		require.NoError(t, err)
		require.Equal(t, runs, got.Running)
		require.Equal(t, "run-1", got.Run)
		require.Equal(t, api.RolloutFleet, got.Type)
	}
	got, err := lastChange(t.Context(), changes{err: serviceerror.NewNotFound("no such workflow")}, "prod")
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = lastChange(t.Context(), changes{err: serviceerror.NewPermissionDenied("no", "")}, "prod")
	require.ErrorContains(t, err, "ask Temporal for the workflow landbridge.prod: no")
}
