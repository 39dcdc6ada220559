package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// unitStatus remembers where a cluster or link is.
type unitStatus struct {
	api.UnitStatus
	shown bool
}

// publish makes it the workflow's answer to the status query, and its details
// in the Temporal UI.
func (s *unitStatus) publish(ctx workflow.Context) error {
	s.shown = true
	return workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.UnitStatus, error) { return s.UnitStatus, nil })
}

func (s *unitStatus) begin(ctx workflow.Context, step string) {
	s.Steps = append(s.Steps, api.StepStatus{Step: step, State: api.Running, Began: workflow.Now(ctx)})
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
		if st.State != api.Running {
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
	if err := workflow.UpsertTypedSearchAttributes(ctx, api.PhaseKey.ValueSet(phase)); err != nil {
		workflow.GetLogger(ctx).Warn("cannot set the phase", "phase", phase, "error", err)
	}
}

// attributes are what a child is found by from its start.
func attributes(keys ...temporal.SearchAttributeUpdate) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(keys...)
}
