package reconcile

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/resource"
)

// waiting is a world whose rollout waits for the wave europe.
func waiting(t *testing.T, spec map[string]any) *world {
	w := newWorld(t, spec)
	w.now()
	w.temporal.last().status = api.Status{Phase: api.PhaseApproval, WaitsFor: "europe", Units: []api.UnitState{{Unit: api.Member("east"), State: api.Failed}}}
	return w
}

func TestApproval_ByAnnotation_IsForOneWaveOfOneGeneration(t *testing.T) {
	w := waiting(t, nil)
	s := w.now()
	c := w.requireCondition(s, resource.WaitingForApproval, "True WaveWaits")
	require.Equal(t, "wave europe waits for an approval: annotate landbridge.dev/approve=1/europe, or `landbridge approve prod --wave europe --reason …`; 1 unit failed before it", c.Message)
	require.Equal(t, []string{"Waiting", "1/europe"}, []string{s.Phase, s.Approval})
	for _, other := range []string{"europe", "1/asia", "2/europe", "true"} {
		w.annotate(resource.Approve, other)
		w.requireCondition(w.now(), resource.WaitingForApproval, "True WaveWaits")
		require.Empty(t, w.temporal.approvals, other)
	}
	w.annotate(resource.Approve, "1/europe")
	w.now()
	w.now()
	require.Equal(t, []api.DecisionInput{{Wave: "europe", By: "Fleet fleets/prod", Reason: "annotation landbridge.dev/approve"}}, w.temporal.approvals, "once")
}

func TestApproval_TheRunRefusesIt_SaysWhy(t *testing.T) {
	w := waiting(t, nil)
	w.temporal.declined = temporal.NewApplicationError("no wave waits", "Refused")
	w.annotate(resource.Approve, "1/europe")
	require.Contains(t, w.requireCondition(w.now(), resource.WaitingForApproval, "True WaveWaits").Message, "approve is refused: no wave waits")
}

// Who may write the resource asked for the rollout: nobody can tell that it was somebody else.
func TestApproval_OthersMustApprove_NoAnnotationDoes(t *testing.T) {
	w := waiting(t, map[string]any{"rollout": map[string]any{"approval": "waves", "approvers": "others", "waves": []any{map[string]any{"name": "europe", "clusters": []any{"east"}}}}})
	w.annotate(resource.Approve, "1/europe")
	require.Contains(t, w.requireCondition(w.now(), resource.WaitingForApproval, "True WaveWaits").Message, "approve by `landbridge approve`")
	require.Empty(t, w.temporal.approvals)
}
