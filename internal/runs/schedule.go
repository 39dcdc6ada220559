package runs

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
)

// SetSchedule creates a fleet's schedule, or replaces it.
func SetSchedule(ctx context.Context, c client.Client, in api.FleetInput, every time.Duration) error {
	in.Contract, in.Fleet, in.FromInventories = api.Contract, in.Fleet.Reach(), true
	name := in.Fleet.Metadata.Name
	if err := connect.Readable(ctx, c, name); err != nil {
		return err
	}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	action := &client.ScheduleWorkflowAction{ID: fleet.ScheduleID(name), Workflow: api.DriftFleet, Args: []any{in}, TaskQueue: in.Fleet.Spec.TaskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(api.FleetKey.ValueSet(name)), StaticSummary: "DriftFleet " + name}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{ID: fleet.ScheduleID(name), Spec: spec, Action: action,
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, Note: in.Request.Line()})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(name)).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(u client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := u.Description.Schedule
			s.Spec, s.Action = &spec, action
			s.State.Note = in.Request.Line()
			return &client.ScheduleUpdate{Schedule: &s}, nil
		}})
}

// Schedule tells when a fleet is checked for drift, and what the last checks found.
type Schedule struct {
	Fleet string    `json:"fleet"`
	Every string    `json:"every"`
	Note  string    `json:"note,omitempty"`
	Next  time.Time `json:"next,omitzero"`
	// Last lists the last checks, the newest first.
	Last []Check `json:"last"`
}

// Check holds one check. It has neither Result nor Error while it runs.
type Check struct {
	At       time.Time        `json:"at,omitzero"`
	Workflow string           `json:"workflow"`
	Result   *api.DriftResult `json:"result,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// ReadSchedule reads a fleet's schedule and at most so many of its last checks. The error is a
// serviceerror.NotFound where the fleet has none.
func ReadSchedule(ctx context.Context, c client.Client, name string, most int) (Schedule, error) {
	d, err := c.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(name)).Describe(ctx)
	if err != nil {
		return Schedule{}, err
	}
	s := Schedule{Fleet: name, Note: d.Schedule.State.Note, Last: []Check{}}
	if len(d.Schedule.Spec.Intervals) > 0 {
		s.Every = d.Schedule.Spec.Intervals[0].Every.String()
	}
	if len(d.Info.NextActionTimes) > 0 {
		s.Next = d.Info.NextActionTimes[0]
	}
	recent := d.Info.RecentActions
	for i := len(recent) - 1; i >= 0 && len(s.Last) < most; i-- {
		if recent[i].StartWorkflowResult == nil {
			continue
		}
		check := Check{At: recent[i].ActualTime, Workflow: recent[i].StartWorkflowResult.WorkflowID}
		// A check that still runs has no result yet, and its end would be waited for.
		if e, err := c.DescribeWorkflowExecution(ctx, check.Workflow, recent[i].StartWorkflowResult.FirstExecutionRunID); err != nil ||
			api.IsOpen(e.GetWorkflowExecutionInfo().GetStatus()) {
			s.Last = append(s.Last, check)
			continue
		}
		check.Result = &api.DriftResult{}
		if err := Outcome(ctx, c.GetWorkflow(ctx, check.Workflow, recent[i].StartWorkflowResult.FirstExecutionRunID), check.Result); err != nil {
			check.Result, check.Error = nil, Message(err)
		}
		s.Last = append(s.Last, check)
	}
	return s, nil
}
