package notify

import (
	"encoding/json"
	"strings"
	"time"
)

// Notification tells of one event of a fleet. In the format json it is the body that a
// webhook gets.
type Notification struct {
	// Event is waiting, failed, drifted or done.
	Event string `json:"event"`
	Fleet string `json:"fleet"`
	// What names what runs: rollout, cleanup, rotation, forget, revoke, restart or drift check.
	What string `json:"what"`
	// Workflow and Run identify it in Temporal.
	Workflow string `json:"workflow"`
	Run      string `json:"run"`
	// At is when the event happened, in UTC.
	At time.Time `json:"at"`
	// Reason and RequestedBy are those of the run, where it has them.
	Reason      string `json:"reason,omitempty"`
	RequestedBy string `json:"requestedBy,omitempty"`
	// Wave waits for its approval.
	Wave string `json:"wave,omitempty"`
	// Text tells the event in one sentence.
	Text string `json:"text"`
	// Failures has a line for each thing that failed or differs, as many as there is room for.
	Failures []string `json:"failures,omitempty"`
	// Next is the command to type now, where there is one.
	Next string `json:"next,omitempty"`
}

// slackText escapes what Slack would take for its own marks.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// body returns what a webhook of a format gets.
func (n Notification) body(format string) ([]byte, error) {
	n.At = n.At.UTC()
	if format != formatSlack {
		return json.Marshal(n)
	}
	lines := []string{n.Text}
	for _, f := range n.Failures {
		lines = append(lines, "• "+f)
	}
	if by := n.by(); by != "" {
		lines = append(lines, by)
	}
	if n.Next != "" {
		lines = append(lines, "next: `"+n.Next+"`")
	}
	return json.Marshal(map[string]string{"text": slackText.Replace(strings.Join(lines, "\n"))})
}

// by tells on whose behalf the run is, and why.
func (n Notification) by() string {
	var parts []string
	if n.RequestedBy != "" {
		parts = append(parts, "requested by "+n.RequestedBy)
	}
	if n.Reason != "" {
		parts = append(parts, n.Reason)
	}
	return strings.Join(parts, ": ")
}
