package workflows

import (
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// NotifyFleet has one channel hear of one event, and tries that for a day. Whatever the
// event is about goes on meanwhile, and does not hear of the outcome. An error of TypeInvalid
// means that the workers do not know the channel, or that its webhook refuses.
func NotifyFleet(ctx workflow.Context, in api.NotifyInput) (api.NotifyResult, error) {
	policy := notifyCall()
	policy.Summary = "notify " + in.Channel
	out, err := titled(ctx, policy, policy.Summary, a.Notify, in)
	if err == nil || ctx.Err() != nil {
		return out, ctx.Err()
	}
	typ, why := describe(err)
	return out, temporal.NewNonRetryableApplicationError(fmt.Sprintf("channel %s did not hear of it: %s", in.Channel, why), typ, nil)
}

// notice holds what a notification tells, beside who runs it for which fleet.
type notice struct {
	// event is one of the values of fleet.Notification.Events, and what the noun of the run.
	event, what string
	wave        string
	text        string
	failures    []string
	next        string
}

// tell has each channel that hears of an event hear of it, by a workflow of its own. It
// waits until these have started, and no longer: a webhook that is down must neither hold
// the run up nor fail it. A dry run tells nobody.
func tell(ctx workflow.Context, in api.FleetInput, n notice) {
	channels := in.Fleet.Channels(n.event)
	if in.DryRun || len(channels) == 0 {
		return
	}
	// Whoever cancels the run does not cancel what is told of it. The function that would end
	// this context is not called, since it would cancel the notifications.
	free, _ := workflow.NewDisconnectedContext(ctx)
	started := make([]workflow.Future, len(channels))
	for i, c := range channels {
		started[i] = startNotify(free, in, n, c)
	}
	for i, s := range started {
		if err := s.Get(free, nil); err != nil {
			workflow.GetLogger(ctx).Warn("cannot start a notification", "channel", channels[i], "event", n.event, "error", err)
		}
	}
}

// startNotify starts the NotifyFleet of one channel.
func startNotify(ctx workflow.Context, in api.FleetInput, n notice, channel string) workflow.Future {
	info := workflow.GetInfo(ctx)
	self := info.WorkflowExecution
	event := n.event
	if n.wave != "" {
		event += "." + n.wave
	}
	// A run that somebody resets keeps the IDs of its children: they have its first run's ID.
	id := fmt.Sprintf("%s.notify.%s.%s.%s", self.ID, channel, event, info.OriginalRunID)
	return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, StaticSummary: n.event + " · " + channel,
		TypedSearchAttributes: attributes(api.FleetKey.ValueSet(in.Fleet.Metadata.Name)),
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON, // the run ends, and this goes on
	}), NotifyFleet, api.NotifyInput{
		ClusterRef: in.FleetRef(self.RunID), Channel: channel, ID: api.NotificationID(id), Event: n.event, What: n.what, Workflow: self.ID, At: workflow.Now(ctx),
		Wave: n.wave, Text: n.text, Failures: briefly(n.failures), Next: n.next,
	}).GetChildWorkflowExecution()
}

// Limits of what a notification lists: how many lines, and how long each is, in bytes.
const (
	maxTold = 10
	maxLine = 300
)

// briefly returns the first lines, each cut to its limit.
func briefly(lines []string) (out []string) {
	for i, l := range lines {
		if i == maxTold-1 && len(lines) > maxTold {
			return append(out, fmt.Sprintf("… and %d more", len(lines)-i))
		}
		out = append(out, fleet.Brief(fleet.OneLine(l), maxLine))
	}
	return out
}
