package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotifications_AChannelThatNamesNoEvent_HearsOfAll(t *testing.T) {
	f := parse(t, small+"  notifications: [{channel: oncall}, {channel: audit, events: [done]}]\n")
	require.Equal(t, []string{"waiting", "failed", "drifted", "done"}, f.Spec.Notifications[0].Events)
	require.Equal(t, []string{"oncall", "audit"}, f.Channels(OnDone))
	require.Equal(t, []string{"oncall"}, f.Channels(OnWaiting))
	f.Spec.Notifications[0].Events[0] = OnDone
	require.Equal(t, []string{"waiting", "failed", "drifted", "done"}, events, "each fleet has a list of its own")
}

func TestNotifications_WhereThereAreNone_NobodyHears(t *testing.T) {
	f := parse(t, small)
	require.Empty(t, f.Channels(OnDone))
	require.NotContains(t, string(asJSON(f)), "notifications", "digests of fleet files from before stay as they are")
}

// A scheduled check knows no more than what the clusters remember.
func TestNotifications_EveryInventory_HasThem(t *testing.T) {
	f := parse(t, small+"  notifications: [{channel: oncall, events: [drifted]}]\n")
	var all []Remembered
	for _, name := range []string{"east", "north", "west"} {
		part := f.Part(name, Stale{})
		require.Equal(t, []string{"oncall"}, part.Channels(OnDrifted))
		all = append(all, Remembered{Part: part, Memory: Memory{Member: Identity{Name: name}}})
	}
	whole, _, differ := Assemble(all)
	require.Empty(t, differ)
	require.Equal(t, []string{"oncall"}, whole.Channels(OnDrifted))
	reach := f.Reach()
	require.Empty(t, reach.Channels(OnDrifted), "how the clusters are reached tells nothing of it")
	reach.SetFrom(all[0].Part)
	require.Equal(t, []string{"oncall"}, reach.Channels(OnDrifted))
}

// What a worker says of a fleet file is kept by Temporal.
func TestNotifications_AURLInPlaceOfAName_IsNotRepeated(t *testing.T) {
	f := parse(t, small)
	f.Spec.Notifications = []Notification{{Channel: "https://hooks.slack.com/services/T0/B0/secret", Events: events}}
	err := f.Validate()
	require.ErrorContains(t, err, "fleet: spec.notifications[0].channel: want the name of a channel in the workers' --notify-file")
	require.NotContains(t, err.Error(), "slack")
}

func TestNotifications_MoreChannelsThanAnybodyReads_AreRefused(t *testing.T) {
	ps := &problems{}
	var list []Notification
	for i := range maxChannels + 1 {
		list = append(list, Notification{Channel: "c" + string(rune('a'+i)), Events: events})
	}
	validateNotifications(list, ps)
	require.ErrorContains(t, ps.err("fleet"), "spec.notifications: want at most 20 channels, got 21")
}
