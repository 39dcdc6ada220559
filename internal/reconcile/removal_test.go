package reconcile

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/resource"
)

var pruned = map[string]any{"prune": true}

func (w *world) delete() {
	w.t.Helper()
	require.NoError(w.t, w.kubernetes.Delete(w.t.Context(), w.get()))
}

func (w *world) requireGone() {
	w.t.Helper()
	require.True(w.t, apierrors.IsNotFound(w.kubernetes.Get(w.t.Context(), prod, newResource())))
}

func TestRemoval_WithoutPrune_TheClustersStay(t *testing.T) {
	w := rolledOut(t, nil)
	require.Empty(t, w.get().GetFinalizers())
	w.delete()
	w.requireGone()
	require.NoError(t, w.reconcile())
	require.Len(t, w.temporal.runs, 1)
}

func TestRemoval_WithPrune_CleansUpAndLetsTheFleetGo(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": pruned})
	require.True(t, w.temporal.last().in.Prune)
	require.Equal(t, []string{resource.Finalizer}, w.get().GetFinalizers())
	w.delete()
	s := w.now()
	w.requireCondition(s, resource.Progressing, "True CleaningUp")
	require.Equal(t, "Deleting", s.Phase)
	require.Equal(t, api.CleanupFleet, w.temporal.last().typ)
	w.now()
	require.Len(t, w.temporal.runs, 2)
	w.temporal.ends(api.CleanupResult{}, nil)
	require.NoError(t, w.reconcile())
	w.requireGone()
}

func TestRemoval_NothingWasEverRolledOut_GoesAtOnce(t *testing.T) {
	w := newWorld(t, map[string]any{"reconcile": map[string]any{"prune": true, "suspend": true}})
	w.now()
	w.delete()
	require.NoError(t, w.reconcile())
	w.requireGone()
	require.Empty(t, w.temporal.runs)
}

func TestRemoval_OfAProtectedFleet_WaitsUntilItIsNot(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": pruned, "protected": true})
	w.delete()
	s := w.now()
	require.Contains(t, w.requireCondition(s, resource.Ready, "False Protected").Message, "set it to false")
	require.Equal(t, "Deleting", s.Phase)
	require.Len(t, w.temporal.runs, 1)
	// The clusters remember it, until a rollout says otherwise.
	w.edit(func(spec map[string]any) { delete(spec, "protected") })
	w.now()
	require.Equal(t, api.RolloutFleet, w.temporal.last().typ)
	require.Len(t, w.temporal.runs, 2)
	w.now()
	w.temporal.ends(done(), nil)
	w.now()
	require.Equal(t, api.CleanupFleet, w.temporal.last().typ)
	w.temporal.ends(api.CleanupResult{}, nil)
	require.NoError(t, w.reconcile())
	w.requireGone()
}

// Somebody who changes their mind leaves the clusters as they are.
func TestRemoval_PruneIsTakenBack_TheClustersStay(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": pruned, "protected": true})
	w.delete()
	w.now()
	w.edit(func(spec map[string]any) { delete(spec, "reconcile") })
	require.NoError(t, w.reconcile())
	w.requireGone()
	require.Len(t, w.temporal.runs, 1)
}

func TestRemoval_ARolloutRuns_IsCanceledFirst(t *testing.T) {
	w := newWorld(t, map[string]any{"reconcile": pruned})
	w.now()
	w.delete()
	w.now()
	require.Len(t, w.temporal.runs, 2)
	require.True(t, w.temporal.runs[0].ended)
	require.Equal(t, api.CleanupFleet, w.temporal.last().typ)
}

func TestRemoval_TheCleanupFails_IsToldAndTriedWhenAsked(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": pruned})
	w.delete()
	w.now()
	w.temporal.ends(nil, temporal.NewNonRetryableApplicationError("pods need it", api.TypeLeftOver, nil))
	c := w.requireCondition(w.now(), resource.Ready, "False CleanupFailed")
	require.Contains(t, c.Message, "pods need it")
	w.now()
	require.Len(t, w.temporal.runs, 2)
	w.annotate(resource.RequestedAt, "now")
	w.now()
	require.Len(t, w.temporal.runs, 3)
}

// Who suspended a fleet before it is deleted has it left alone, too.
func TestRemoval_OfASuspendedFleet_WaitsUntilItIsNot(t *testing.T) {
	w := rolledOut(t, map[string]any{"reconcile": pruned})
	w.edit(func(spec map[string]any) { spec["reconcile"] = map[string]any{"prune": true, "suspend": true} })
	w.delete()
	w.requireCondition(w.now(), resource.Ready, "Unknown Suspended")
	require.Len(t, w.temporal.runs, 1)
	w.edit(func(spec map[string]any) { spec["reconcile"] = pruned })
	w.now()
	require.Equal(t, api.CleanupFleet, w.temporal.last().typ)
}
