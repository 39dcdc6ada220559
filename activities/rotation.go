package activities

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// SetRotation sets up the schedule that renews a fleet's tokens before they end, or removes it
// where none ends. It stays paused where somebody paused it.
func (a *Activities) SetRotation(ctx context.Context, in api.SetRotationInput) (api.SetRotationResult, error) {
	changed, err := a.setRotation(ctx, activity.GetClient(ctx).ScheduleClient(), in)
	return api.SetRotationResult{Changed: changed}, err
}

func (a *Activities) setRotation(ctx context.Context, c client.ScheduleClient, in api.SetRotationInput) (bool, error) {
	id := fleet.RotationID(in.Fleet)
	if in.Every == 0 {
		return deleteSchedule(ctx, c, id)
	}
	check := api.FleetInput{Contract: api.Contract, Fleet: in.Reach, FromInventories: true}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: in.Every}}}
	action := &client.ScheduleWorkflowAction{ID: id, Workflow: api.CheckTokens, Args: []any{check}, TaskQueue: in.Reach.Spec.TaskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(api.FleetKey.ValueSet(in.Fleet)), StaticSummary: api.CheckTokens + " " + in.Fleet}
	_, err := c.Create(ctx, client.ScheduleOptions{ID: id, Spec: spec, Action: action, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err == nil, explainSchedule(err, "create", id)
	}
	changed := false
	err = c.GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(u client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		s := u.Description.Schedule
		spec.Intervals[0].Every = interval(in, s.Spec)
		if s.Spec != nil && slices.EqualFunc(s.Spec.Intervals, spec.Intervals, func(a, b client.ScheduleIntervalSpec) bool { return a == b }) && a.startsCheck(s.Action, check) {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		s.Spec, s.Action, changed = &spec, action, true
		return &client.ScheduleUpdate{Schedule: &s}, nil
	}})
	return changed && err == nil, explainSchedule(err, "update", id)
}

// interval returns how often a schedule that is there shall look.
func interval(in api.SetRotationInput, have *client.ScheduleSpec) time.Duration {
	if in.Partly && have != nil && len(have.Intervals) == 1 && have.Intervals[0].Every > 0 {
		return min(in.Every, have.Intervals[0].Every)
	}
	return in.Every
}

// startsCheck says whether what a schedule starts is this check.
func (a *Activities) startsCheck(what client.ScheduleAction, want api.FleetInput) bool {
	action, ok := what.(*client.ScheduleWorkflowAction)
	if !ok || len(action.Args) != 1 || action.TaskQueue != want.Fleet.Spec.TaskQueue {
		return false
	}
	have, err := a.scheduled(action.Args[0])
	return err == nil && reflect.DeepEqual(have, want)
}

// deleteSchedule deletes a schedule, and says whether there was one.
func deleteSchedule(ctx context.Context, c client.ScheduleClient, id string) (bool, error) {
	err := c.GetHandle(ctx, id).Delete(ctx)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, explainSchedule(err, "delete", id)
}

func explainSchedule(err error, verb, id string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s the schedule %s in Temporal: %w", verb, id, err)
}
