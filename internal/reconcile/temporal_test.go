package reconcile

import (
	"context"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/landbridge/landbridge/internal/api"
)

// fakeTemporal has one fleet's runs, the last one last. A test says how they go on.
type fakeTemporal struct {
	client.Client
	runs      []*fakeRun
	approvals []api.DecisionInput
	// declined has every approval refused.
	declined error
	// silent has nothing answered.
	silent error
	// schedule is the fleet's, where it has one, with what its last check found.
	schedule *client.ScheduleWorkflowAction
	every    string
	check    *api.DriftResult
}

// fakeRun implements client.WorkflowRun, and the iterator of its history, which begins with its input.
type fakeRun struct {
	client.WorkflowRun
	client.HistoryEventIterator
	id, run, typ string
	memo         *commonpb.Memo
	in           api.FleetInput
	status       api.Status
	ended        bool
	err          error
	result       any
}

func (r *fakeRun) GetID() string    { return r.id }
func (r *fakeRun) GetRunID() string { return r.run }

func (r *fakeRun) Get(_ context.Context, out any) error {
	if r.err == nil && out != nil {
		data, err := converter.GetDefaultDataConverter().ToPayload(r.result)
		if err == nil {
			err = converter.GetDefaultDataConverter().FromPayload(data, out)
		}
		return err
	}
	return r.err
}

func (r *fakeRun) Next() (*historypb.HistoryEvent, error) {
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(r.in)
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: payloads}}}, err
}

func (f *fakeTemporal) last() *fakeRun {
	if len(f.runs) == 0 {
		return nil
	}
	return f.runs[len(f.runs)-1]
}

// ends has the last run end with a result or an error.
func (f *fakeTemporal) ends(result any, err error) {
	r := f.last()
	r.ended, r.result, r.err = true, result, err
}

func (f *fakeTemporal) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	r := f.last()
	if id == aCheck {
		r = f.at(aCheck)
	}
	switch {
	case f.silent != nil:
		return nil, f.silent
	case r == nil:
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	info := &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: r.run}, Type: &commonpb.WorkflowType{Name: r.typ},
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, Memo: r.memo}
	if r.ended {
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		if r.err != nil {
			info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
		}
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

func (f *fakeTemporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, typ any, args ...any) (client.WorkflowRun, error) {
	if r := f.last(); r != nil && !r.ended && r.id == o.ID {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("runs", "", r.run)
	}
	memo := &commonpb.Memo{Fields: map[string]*commonpb.Payload{}}
	for k, v := range o.Memo {
		memo.Fields[k], _ = converter.GetDefaultDataConverter().ToPayload(v)
	}
	if args[0].(api.FleetInput).DryRun { // a look
		return &fakeRun{ended: true, result: api.CleanupResult{}}, nil
	}
	r := &fakeRun{id: o.ID, run: fmt.Sprintf("run-%d", len(f.runs)+1), typ: typ.(string), in: args[0].(api.FleetInput), memo: memo}
	f.runs = append(f.runs, r)
	return r, nil
}

const aCheck = "check"

func (f *fakeTemporal) at(run string) *fakeRun {
	if run == aCheck {
		return &fakeRun{ended: true, result: f.check}
	}
	for _, r := range f.runs {
		if r.run == run {
			return r
		}
	}
	return f.last()
}

func (f *fakeTemporal) GetWorkflow(_ context.Context, _, run string) client.WorkflowRun {
	return f.at(run)
}

func (f *fakeTemporal) GetWorkflowHistory(_ context.Context, _, run string, _ bool, _ enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return f.at(run)
}

func (f *fakeTemporal) CancelWorkflow(context.Context, string, string) error {
	f.last().ended = true
	return nil
}

// value answers a query.
type value struct{ of any }

func (v value) HasValue() bool { return true }
func (v value) Get(out any) error {
	data, err := converter.GetDefaultDataConverter().ToPayload(v.of)
	if err == nil {
		err = converter.GetDefaultDataConverter().FromPayload(data, out)
	}
	return err
}

func (f *fakeTemporal) QueryWorkflow(_ context.Context, _, run, _ string, _ ...any) (converter.EncodedValue, error) {
	return value{f.at(run).status}, nil
}

// answered implements client.WorkflowUpdateHandle.
type answered struct {
	client.WorkflowUpdateHandle
	err error
}

func (a answered) Get(_ context.Context, out any) error {
	*out.(*string) = "approved"
	return a.err
}

func (f *fakeTemporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	if f.declined == nil {
		f.approvals = append(f.approvals, o.Args[0].(api.DecisionInput))
	}
	return answered{err: f.declined}, nil
}

// ScheduleClient implements client.Client: the fleet's schedule is all that it has.
func (f *fakeTemporal) ScheduleClient() client.ScheduleClient { return schedules{f: f} }

type schedules struct {
	client.ScheduleClient
	client.ScheduleHandle
	f *fakeTemporal
}

func (s schedules) GetHandle(context.Context, string) client.ScheduleHandle { return s }

func (s schedules) Create(_ context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	s.f.schedule, s.f.every = o.Action.(*client.ScheduleWorkflowAction), o.Spec.Intervals[0].Every.String()
	return s, nil
}

func (s schedules) Delete(context.Context) error {
	s.f.schedule = nil
	return nil
}

func (s schedules) Describe(context.Context) (*client.ScheduleDescription, error) {
	if s.f.schedule == nil {
		return nil, serviceerror.NewNotFound("no such schedule")
	}
	d := &client.ScheduleDescription{Schedule: client.Schedule{Spec: &client.ScheduleSpec{}, State: &client.ScheduleState{}}}
	if s.f.check != nil {
		d.Info.RecentActions = []client.ScheduleActionResult{{StartWorkflowResult: &client.ScheduleWorkflowExecution{WorkflowID: aCheck, FirstExecutionRunID: aCheck}}}
	}
	return d, nil
}
