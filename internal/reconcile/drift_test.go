package reconcile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/resource"
)

func TestDrift_TheScheduleIsAsTheSpecSays(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": map[string]any{"checkEvery": "1h", "selfHeal": true}})
	require.Equal(t, "1h0m0s", w.temporal.every)
	require.True(t, w.temporal.schedule.Args[0].(api.FleetInput).SelfHeal)
	require.Equal(t, "every 1h0m0s with self-heal", w.now().Schedule)
	w.edit(func(spec map[string]any) { delete(spec, "reconcile") })
	w.now()
	w.temporal.ends(done(), nil)
	require.Empty(t, w.now().Schedule)
	require.Nil(t, w.temporal.schedule)
}

func TestDrift_EachFinding_HasItsReason(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": map[string]any{"checkEvery": "1h"}})
	w.requireCondition(w.now(), resource.Drifted, "Unknown NotChecked")
	for want, found := range map[string]api.DriftResult{
		"False InSync":       {},
		"True DriftFound":    {Drifted: true, Differs: 2},
		"Unknown NotChecked": {Busy: &api.LastChange{}},
	} {
		w.temporal.check = &found
		w.requireCondition(w.now(), resource.Drifted, want)
	}
	w.temporal.check = &api.DriftResult{Drifted: true, Differs: 2, Healed: true}
	c := w.requireCondition(w.now(), resource.Drifted, "False InSync")
	require.Equal(t, "the last check found 2 changed objects, and repaired it", c.Message)
}
