package codec

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// temporalWith hands on, as the SDK does, what Temporal keeps.
type temporalWith struct {
	client.Client
	events []*historypb.HistoryEvent
	about  *workflowservice.DescribeWorkflowExecutionResponse
	action client.ScheduleAction
	err    error
}

func (s *temporalWith) GetWorkflowHistory(context.Context, string, string, bool, enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return s
}
func (s *temporalWith) HasNext() bool { return len(s.events) > 0 }
func (s *temporalWith) Next() (*historypb.HistoryEvent, error) {
	if s.err != nil {
		return nil, s.err
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}
func (s *temporalWith) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return s.about, s.err
}
func (s *temporalWith) ScheduleClient() client.ScheduleClient { return oneSchedule{temporal: s} }

type oneSchedule struct {
	client.ScheduleClient
	client.ScheduleHandle
	temporal *temporalWith
}

func (s oneSchedule) GetHandle(context.Context, string) client.ScheduleHandle { return s }
func (s oneSchedule) GetID() string                                           { return "id" }
func (s oneSchedule) Describe(context.Context) (*client.ScheduleDescription, error) {
	return &client.ScheduleDescription{Schedule: client.Schedule{Action: s.temporal.action}}, s.temporal.err
}

func read(t *testing.T, p *commonpb.Payload) (s string) {
	t.Helper()
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(p, &s))
	return s
}

// stored returns what Temporal keeps of a workflow of ours, encrypted with these keys.
func stored(t *testing.T, k *Keys) *temporalWith {
	hide := func(s string) *commonpb.Payload { return sealed(t, k, text(s)) }
	many := func(s string) *commonpb.Payloads { return &commonpb.Payloads{Payloads: []*commonpb.Payload{hide(s)}} }
	return &temporalWith{
		events: []*historypb.HistoryEvent{
			{UserMetadata: &sdkpb.UserMetadata{Summary: hide("summary"), Details: hide("details")}, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
				WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: many("input"),
					SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{"Phase": text("phase")}}}}},
			{Attributes: &historypb.HistoryEvent_ActivityTaskFailedEventAttributes{
				ActivityTaskFailedEventAttributes: &historypb.ActivityTaskFailedEventAttributes{Failure: failed(k)}}},
		},
		about: &workflowservice.DescribeWorkflowExecutionResponse{
			WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{"m": hide("memo")}}},
			PendingActivities:     []*workflowpb.PendingActivityInfo{{HeartbeatDetails: many("heartbeat"), LastFailure: failed(k)}},
		},
		action: &client.ScheduleWorkflowAction{Args: []any{hide("scheduled"), "not from Temporal"}},
	}
}

func TestOpened_WhatTemporalKeeps_IsReadable(t *testing.T) {
	keys := keysOf(t, "a")
	c := keys.Opened(stored(t, keys))
	events := c.GetWorkflowHistory(t.Context(), "w", "r", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	require.True(t, events.HasNext())
	began, err := events.Next()
	require.NoError(t, err)
	require.Equal(t, "summary", read(t, began.UserMetadata.Summary))
	require.Equal(t, "details", read(t, began.UserMetadata.Details))
	require.Equal(t, "input", read(t, began.GetWorkflowExecutionStartedEventAttributes().Input.Payloads[0]))
	require.Equal(t, "phase", read(t, began.GetWorkflowExecutionStartedEventAttributes().SearchAttributes.IndexedFields["Phase"]))
	ended, err := events.Next()
	require.NoError(t, err)
	f := ended.GetActivityTaskFailedEventAttributes().Failure
	require.Equal(t, "cluster east: it does not answer", f.Message)
	require.Equal(t, "read: dial east.example.com", f.Cause.Message)
	require.Equal(t, "east-network", read(t, f.GetApplicationFailureInfo().Details.Payloads[0]))
	require.False(t, events.HasNext())

	d, err := c.DescribeWorkflowExecution(t.Context(), "w", "r")
	require.NoError(t, err)
	require.Equal(t, "memo", read(t, d.WorkflowExecutionInfo.Memo.Fields["m"]))
	require.Equal(t, "heartbeat", read(t, d.PendingActivities[0].HeartbeatDetails.Payloads[0]))
	require.Equal(t, "cluster east: it does not answer", d.PendingActivities[0].LastFailure.Message)

	s, err := c.ScheduleClient().GetHandle(t.Context(), "s").Describe(t.Context())
	require.NoError(t, err)
	args := s.Schedule.Action.(*client.ScheduleWorkflowAction).Args
	require.Equal(t, "scheduled", read(t, args[0].(*commonpb.Payload)))
	require.Equal(t, "not from Temporal", args[1])
}

func TestOpened_WithoutTheKey_SaysWhichOneIsNeeded(t *testing.T) {
	c := new(Keys).Opened(stored(t, keysOf(t, "a")))
	_, history := c.GetWorkflowHistory(t.Context(), "w", "r", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	_, about := c.DescribeWorkflowExecution(t.Context(), "w", "r")
	_, schedule := c.ScheduleClient().GetHandle(t.Context(), "s").Describe(t.Context())
	for _, err := range []error{history, about, schedule} {
		require.NotNil(t, Unreadable(err), err)
		require.Equal(t, "a", Unreadable(err).Key)
	}
}

func TestOpened_WhatTemporalRefuses_IsPassedOn(t *testing.T) {
	why := errors.New("not found")
	c := new(Keys).Opened(&temporalWith{err: why})
	_, history := c.GetWorkflowHistory(t.Context(), "w", "r", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	_, about := c.DescribeWorkflowExecution(t.Context(), "w", "r")
	_, schedule := c.ScheduleClient().GetHandle(t.Context(), "s").Describe(t.Context())
	for _, err := range []error{history, about, schedule} {
		require.Same(t, why, err)
	}
	s, err := new(Keys).Opened(&temporalWith{}).ScheduleClient().GetHandle(t.Context(), "s").Describe(t.Context())
	require.NoError(t, err)
	require.Nil(t, s.Schedule.Action)
}
