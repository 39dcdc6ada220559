package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// Notification names a channel that hears of the fleet's runs.
type Notification struct {
	// Channel names a webhook of the file that the workers have (--notify-file): a DNS label.
	// The webhook's URL is a secret and stands in that file only.
	Channel string `json:"channel"`
	// Events lists what the channel hears of: waiting (a wave waits for its approval), failed (a
	// run that changes the fleet failed), drifted (the fleet's schedule found drift) and done
	// (such a run ended well). Default: all four.
	Events []string `json:"events,omitempty" jsonschema:"enum=waiting,enum=failed,enum=drifted,enum=done"`
}

// The values of Notification.Events.
const (
	OnWaiting = "waiting"
	OnFailed  = "failed"
	OnDrifted = "drifted"
	OnDone    = "done"
)

// events lists the values of Notification.Events, in the order in which a run may reach them.
var events = []string{OnWaiting, OnFailed, OnDrifted, OnDone}

// maxChannels limits how many channels hear of a fleet: each notification is a workflow.
const maxChannels = 20

// Channels returns the channels that hear of an event, in the order of the fleet file.
func (f *Fleet) Channels(event string) (out []string) {
	for _, n := range f.Spec.Notifications {
		if slices.Contains(n.Events, event) {
			out = append(out, n.Channel)
		}
	}
	return out
}

func validateNotifications(list []Notification, ps *problems) {
	const all = "spec.notifications"
	if len(list) > maxChannels {
		ps.add(all, "want at most %d channels, got %d", maxChannels, len(list))
	}
	first := map[string]int{}
	for i, n := range list {
		at := fmt.Sprintf("%s[%d]", all, i)
		validateChannel(at+".channel", n.Channel, ps)
		if have, twice := first[n.Channel]; twice && n.Channel != "" {
			ps.add(at+".channel", "%s[%d] has this channel already; list all its events there", all, have)
		} else {
			first[n.Channel] = i
		}
		if len(n.Events) == 0 {
			ps.add(at+".events", "the channel would hear of nothing; name an event, or leave the field out for all of them")
		}
		for j, event := range n.Events {
			oneOf(ps, fmt.Sprintf("%s.events[%d]", at, j), event, events...)
		}
	}
}

// validateChannel wants the name of a channel. It does not repeat what looks like a URL: where
// a worker says what is wrong, that ends in Temporal.
func validateChannel(at, name string, ps *problems) {
	if strings.ContainsAny(name, ":/") {
		ps.add(at, "want the name of a channel in the workers' --notify-file; a webhook's URL is a secret, and belongs there")
		return
	}
	dnsLabel(ps, at, name, 63, "the name of a channel")
}
