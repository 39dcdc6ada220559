package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// StatusQuery is the name of the query that every workflow answers: a
// FleetStatus, or for a cluster or link a UnitStatus.
const StatusQuery = "status"

// The states of a cluster, link or step.
const (
	Pending = "pending"
	Running = "running"
	Done    = "done"
	Failed  = "failed"
	Skipped = "skipped"
)

// UnitStatus is where one cluster or link is.
type UnitStatus struct {
	Unit  string       `json:"unit"`
	Steps []StepStatus `json:"steps"`
}

// StepStatus is where one step is.
type StepStatus struct {
	Step  string    `json:"step"`
	State string    `json:"state"`
	Began time.Time `json:"began"`
	// Took is how long it took, 0 while it runs.
	Took    time.Duration `json:"took,omitempty"`
	Message string        `json:"message,omitempty"`
}

// unitStatus remembers where a cluster or link is.
type unitStatus struct {
	UnitStatus
	shown bool
}

// publish makes it the workflow's answer to the status query, and its details
// in the Temporal UI.
func (s *unitStatus) publish(ctx workflow.Context) error {
	s.shown = true
	return workflow.SetQueryHandler(ctx, StatusQuery, func() (UnitStatus, error) { return s.UnitStatus, nil })
}

func (s *unitStatus) begin(ctx workflow.Context, step string) {
	s.Steps = append(s.Steps, StepStatus{Step: step, State: Running, Began: workflow.Now(ctx)})
	s.show(ctx)
}

func (s *unitStatus) end(ctx workflow.Context, state string, err error) {
	last := &s.Steps[len(s.Steps)-1]
	last.State, last.Took = state, workflow.Now(ctx).Sub(last.Began)
	if err != nil {
		_, last.Message = describe(err)
	}
	s.show(ctx)
}

func (s *unitStatus) show(ctx workflow.Context) {
	if !s.shown {
		return
	}
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**%s**\n\n| step | state | took | |\n| --- | --- | --- | --- |\n", s.Unit))
	for _, st := range s.Steps {
		took := ""
		if st.State != Running {
			took = st.Took.Round(time.Millisecond * 10).String()
		}
		b.WriteString(fmt.Sprintf("| %s | %s | %s | %s |\n", st.Step, st.State, took, cell(st.Message)))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// maxCell in bytes keeps a table of many failures below the 20 KB that the UI shows.
const maxCell = 300

// cell makes a message fit into a table.
func cell(s string) string {
	s = strings.NewReplacer("\n", " ", "|", "\\|").Replace(s)
	if len(s) > maxCell {
		s = s[:maxCell] + "…"
	}
	return s
}

// setPhase makes the phase findable.
func setPhase(ctx workflow.Context, phase string) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, PhaseKey.ValueSet(phase)); err != nil {
		workflow.GetLogger(ctx).Warn("cannot set the phase", "phase", phase, "error", err)
	}
}

// attributes are what a child is found by from its start.
func attributes(keys ...temporal.SearchAttributeUpdate) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(keys...)
}
