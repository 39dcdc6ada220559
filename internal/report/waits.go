package report

import (
	"time"

	historypb "go.temporal.io/api/history/v1"

	"github.com/landbridge/landbridge/internal/api"
)

// What a run waited for.
const (
	waitApproval = "approval"
	waitResume   = "resume"
)

// Wait tells during which time a run as a whole waited for people.
type Wait struct {
	// For is approval (of a wave) or resume (after a pause).
	For   string    `json:"for"`
	Began time.Time `json:"began"`
	// Ended is nil while it still waits.
	Ended *time.Time `json:"ended,omitempty"`
}

// Did tells it in words.
func (w Wait) Did() string {
	if w.For == waitApproval {
		return "waited for an approval"
	}
	return "was paused"
}

// phase follows the phases of the fleet's workflow, one of which is to wait for an approval.
func (g *gathering) phase(at time.Time, a *historypb.UpsertWorkflowSearchAttributesEventAttributes) {
	p := a.GetSearchAttributes().GetIndexedFields()[api.PhaseKey.GetName()]
	var phase string
	if p == nil || decode(p, &phase) != nil {
		return
	}
	g.waits(waitApproval, at, phase == api.PhaseApproval)
}

// waits notes that the run waits for something, or no longer.
func (g *gathering) waits(what string, at time.Time, on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.report
	for i := range r.Waits {
		if w := &r.Waits[i]; w.For == what && w.Ended == nil {
			if !on {
				w.Ended = &at
			}
			return
		}
	}
	if on {
		r.Waits = append(r.Waits, Wait{For: what, Began: at})
	}
}

// endWaits ends what a run waited for to its end.
func (r *Report) endWaits() {
	for i := range r.Waits {
		if r.Waits[i].Ended == nil {
			r.Waits[i].Ended = r.Ended
		}
	}
}
