package api

import (
	"strings"
	"time"
)

// NotifyInput tells one channel of one event of a fleet. It starts NotifyFleet and its
// activity. The webhook behind the channel is for the workers alone to know.
type NotifyInput struct {
	// ClusterRef names no cluster, but the fleet, its task queue, the run, and the request.
	ClusterRef
	Channel string `json:"channel"`
	// ID tells this notification from all others, and is the same for each try.
	ID string `json:"id"`
	// Event is one of the values of fleet.Notification.Events.
	Event string `json:"event"`
	// What runs: a rollout, cleanup, rotation, forget, revoke, restart or drift check.
	// Workflow is its ID in Temporal.
	What     string    `json:"what"`
	Workflow string    `json:"workflow"`
	At       time.Time `json:"at"`
	// Wave waits for its approval.
	Wave string `json:"wave,omitempty"`
	// Text tells the event in one sentence, and Failures has a line for each thing that failed
	// or differs, 10 at most.
	Text     string   `json:"text"`
	Failures []string `json:"failures,omitempty"`
	// Next is the command to type now, where there is one.
	Next string `json:"next,omitempty"`
}

// NotifyResult tells that the webhook took the notification.
type NotifyResult struct {
	Channel string `json:"channel"`
	// Tries counts the attempts that it took.
	Tries int `json:"tries"`
}

// NotificationID returns the ID of the notification that a NotifyFleet sends. The Standard
// Webhooks want none with a dot, and no name has an underscore.
func NotificationID(workflowID string) string { return strings.ReplaceAll(workflowID, ".", "_") }
