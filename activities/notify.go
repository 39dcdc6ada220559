package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/notify"
)

// UnknownChannelError reports a channel of a fleet file that the file of this worker lacks.
type UnknownChannelError struct{ queue, channel string }

// Error tells where the channel is missing, and what to do.
func (e *UnknownChannelError) Error() string {
	return fmt.Sprintf("the workers of task queue %s know no channel %s: add it to the file of --notify-file", e.queue, e.channel)
}

// Notify sends a notification to the webhook of a channel. The error is an
// *UnknownChannelError, a *notify.RefusedError or a *notify.FailedError, and only the last
// one is worth another try.
func (a *Activities) Notify(ctx context.Context, in api.NotifyInput) (api.NotifyResult, error) {
	channel := a.Channels[in.Channel]
	if channel == nil {
		return api.NotifyResult{}, &UnknownChannelError{in.TaskQueue, in.Channel}
	}
	err := channel.Send(ctx, in.ID, notify.Notification{Event: in.Event, Fleet: in.Fleet, What: in.What, Workflow: in.Workflow, Run: in.Run, At: in.At,
		Reason: in.Request.Reason, RequestedBy: in.Request.RequestedBy, Wave: in.Wave, Text: in.Text, Failures: in.Failures, Next: in.Next})
	return api.NotifyResult{Channel: in.Channel, Tries: int(activity.GetInfo(ctx).Attempt)}, err
}
