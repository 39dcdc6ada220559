package activities

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// CheckLastChange asks Temporal which workflow changed the fleet last, and whether it
// still runs.
func (a *Activities) CheckLastChange(ctx context.Context, in api.LastChangeInput) (api.LastChange, error) {
	return lastChange(ctx, activity.GetClient(ctx), in.Fleet)
}

func lastChange(ctx context.Context, c client.Client, name string) (api.LastChange, error) {
	id := fleet.WorkflowID(name)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if isNotFound(err) {
		return api.LastChange{}, nil
	}
	if err != nil {
		return api.LastChange{}, fmt.Errorf("ask Temporal for the workflow %s: %w", id, err)
	}
	info := d.GetWorkflowExecutionInfo()
	var phase string
	if p := info.GetSearchAttributes().GetIndexedFields()[api.PhaseKey.GetName()]; p != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(p, &phase) // without it only the phase is not known
	}
	return api.LastChange{Run: info.GetExecution().GetRunId(), Type: info.GetType().GetName(), Since: info.GetStartTime().AsTime(), Phase: phase,
		Running: api.IsOpen(info.GetStatus())}, nil
}

// EndSchedule deletes the schedules of a fleet, the one that checks it for drift and the one
// that renews its tokens, before a cleanup removes anything.
func (a *Activities) EndSchedule(ctx context.Context, in api.EndScheduleInput) (api.EndScheduleResult, error) {
	deleted, err := endSchedules(ctx, activity.GetClient(ctx).ScheduleClient(), in.Fleet)
	return api.EndScheduleResult{Deleted: deleted}, err
}

func endSchedules(ctx context.Context, c client.ScheduleClient, name string) (deleted bool, err error) {
	for _, id := range []string{fleet.ScheduleID(name), fleet.RotationID(name)} {
		was, err := deleteSchedule(ctx, c, id)
		if deleted = deleted || was; err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// RefreshSchedule tells the fleet's schedule, where there is one, how the clusters are
// reached now. A schedule knows no more of the fleet than that.
func (a *Activities) RefreshSchedule(ctx context.Context, in api.RefreshScheduleInput) (api.RefreshScheduleResult, error) {
	changed, err := a.refreshSchedule(ctx, activity.GetClient(ctx).ScheduleClient(), in.Reach)
	return api.RefreshScheduleResult{Changed: changed}, err
}

func (a *Activities) refreshSchedule(ctx context.Context, c client.ScheduleClient, reach fleet.Fleet) (changed bool, err error) {
	id := fleet.ScheduleID(reach.Metadata.Name)
	err = c.GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(u client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		s := u.Description.Schedule
		action, ok := s.Action.(*client.ScheduleWorkflowAction)
		if !ok || len(action.Args) != 1 {
			return nil, fmt.Errorf("somebody else changed what it starts; `landbridge schedule` sets it again")
		}
		in, err := a.scheduled(action.Args[0])
		if err != nil {
			return nil, err
		}
		if reflect.DeepEqual(in.Fleet, reach) {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		in.Fleet = reach
		action.Args, action.TaskQueue, changed = []any{in}, reach.Spec.TaskQueue, true
		return &client.ScheduleUpdate{Schedule: &s}, nil
	}})
	if err != nil && !isNotFound(err) {
		return false, fmt.Errorf("refresh the schedule %s in Temporal: %w", id, err)
	}
	return changed && err == nil, nil
}

// scheduled returns the input that a schedule starts its checks with.
func (a *Activities) scheduled(arg any) (in api.FleetInput, err error) {
	payload, ok := arg.(*commonpb.Payload)
	if !ok {
		return in, fmt.Errorf("its input is a %T", arg)
	}
	payloads := a.Payloads
	if payloads == nil {
		payloads = converter.GetDefaultDataConverter()
	}
	return in, payloads.FromPayload(payload, &in)
}

func isNotFound(err error) bool {
	var e *serviceerror.NotFound
	return errors.As(err, &e)
}
