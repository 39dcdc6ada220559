package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func istioWith(generation int64, status map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"kind": "Istio", "metadata": map[string]any{"name": "default", "generation": generation}}}
	if status != nil {
		o.Object["status"] = status
	}
	return o
}

func cond(typ, status, reason, message string) map[string]any {
	return map[string]any{"type": typ, "status": status, "reason": reason, "message": message}
}

func TestSailReady_TellsReadyFromWaitingFromDeadEnd(t *testing.T) {
	ready, healthy := cond("Ready", "True", "", ""), "Healthy"
	for name, c := range map[string]struct {
		obj     *unstructured.Unstructured
		waiting string
		dead    string
	}{
		"no status":                      {istioWith(1, nil), "has not been looked at", ""},
		"a status of an older one":       {istioWith(2, map[string]any{"observedGeneration": int64(1), "state": healthy, "conditions": []any{ready}}), "has not been looked at", ""},
		"no conditions":                  {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": healthy}), "is Healthy", ""},
		"ready but not healthy":          {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": "IstiodNotReady", "conditions": []any{ready}}), "IstiodNotReady", ""},
		"ready":                          {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": healthy, "conditions": []any{ready}}), "", ""},
		"a version that is dropped":      {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{cond("Reconciled", "False", "ReconcileError", "version reached end-of-life")}}), "", "end-of-life"},
		"a namespace that is not there":  {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{cond("Reconciled", "False", "ReconcileError", `namespace "x" doesn't exist`)}}), "", "doesn't exist"},
		"an error that may pass":         {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": "ReconcileError", "conditions": []any{cond("Reconciled", "False", "ReconcileError", "connection reset")}}), "connection reset", ""},
		"conditions of no known shape":   {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{"x", int64(1), nil}}), "in no known state", ""},
		"a status that is no map at all": {istioWith(0, map[string]any{"conditions": "x"}), "in no known state", ""},
	} {
		t.Run(name, func(t *testing.T) {
			waiting, err := sailReady(c.obj)
			if c.dead != "" {
				var dead *kube.DeadEndError
				require.ErrorAs(t, err, &dead)
				require.ErrorContains(t, err, c.dead)
				return
			}
			require.NoError(t, err)
			if c.waiting == "" {
				require.Empty(t, waiting)
			} else {
				require.Contains(t, waiting, c.waiting)
			}
		})
	}
}

// sailSays puts a Sail resource with what the operator reports of it.
func (w *world) sailSays(res kinds.Resource, status map[string]any) {
	obj := istioWith(1, status)
	obj.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind))
	w.Put(obj)
}

func TestWaitIstio_UntilBothAreReady(t *testing.T) {
	w := newWorld(t, "west")
	healthy := map[string]any{"observedGeneration": int64(1), "state": "Healthy", "conditions": []any{cond("Ready", "True", "", "")}}
	w.sailSays(kinds.IstioCNIs, healthy)
	w.sailSays(kinds.Istios, map[string]any{"observedGeneration": int64(1), "state": "IstiodNotReady", "conditions": []any{cond("Ready", "False", "IstiodNotReady", "no pod yet")}})
	looks := 0
	w.React("get", "istios", func(clienttesting.Action) (bool, runtime.Object, error) {
		if looks++; looks == 2 {
			w.sailSays(kinds.Istios, healthy)
		}
		return false, nil, nil
	})
	got, err := w.acts.WaitIstio(t.Context(), api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
	require.NoError(t, err)
	require.Equal(t, "Healthy", got.State)
	require.Equal(t, 2, looks)
}

func TestWaitIstio_SailCannotInstallIt_EndsAtOnceWithItsOwnWords(t *testing.T) {
	w := newWorld(t, "west")
	w.sailSays(kinds.IstioCNIs, map[string]any{"observedGeneration": int64(1), "conditions": []any{cond("Reconciled", "False", "ReconcileError", "version v1.20.0 is end-of-life")}})
	_, err := w.acts.WaitIstio(t.Context(), api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.EqualError(t, err, "Sail cannot install IstioCNI default: ReconcileError: version v1.20.0 is end-of-life")
}
