package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func cond(typ, status, reason, message string) map[string]any {
	return map[string]any{"type": typ, "status": status, "reason": reason, "message": message}
}

// sailSays puts a Sail resource with what the operator reports of it.
func (w *world) sailSays(res kinds.Resource, state string, conditions ...any) {
	w.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": res.GroupVersion().String(), "kind": res.Kind,
		"metadata": map[string]any{"name": "default", "generation": int64(1)},
		"status":   map[string]any{"observedGeneration": int64(1), "state": state, "activeRevisionName": "default", "conditions": conditions}}})
}

// sailInstalled puts all that Sail installs, ready.
func (w *world) sailInstalled() {
	for _, r := range []kinds.Resource{kinds.IstioCNIs, kinds.Istios, kinds.IstioRevisions} {
		w.sailSays(r, "Healthy", cond("Ready", "True", "", ""))
	}
	n := int32(1)
	w.Put(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ref.Namespace, Name: "istiod", Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}},
		Spec: appsv1.DeploymentSpec{Replicas: &n}, Status: appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue}}}})
	w.Put(&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: w.ref.CNINamespace, Name: "istio-cni-node", Generation: 1},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 1, CurrentNumberScheduled: 1, NumberReady: 1, NumberAvailable: 1, UpdatedNumberScheduled: 1}})
}

func TestWaitIstio_UntilAllIsReady(t *testing.T) {
	w := newWorld(t, "west")
	w.sailInstalled()
	w.sailSays(kinds.IstioRevisions, "IstiodNotReady", cond("Ready", "False", "IstiodNotReady", "not all istiod pods are ready"))
	looks := 0
	w.React("get", "istiorevisions", func(clienttesting.Action) (bool, runtime.Object, error) {
		if looks++; looks == 1 {
			time.AfterFunc(100*time.Millisecond, func() { w.sailSays(kinds.IstioRevisions, "Healthy", cond("Ready", "True", "", "")) })
		}
		return false, nil, nil
	})
	got, err := w.acts.WaitIstio(t.Context(), api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
	require.NoError(t, err)
	require.Equal(t, "Healthy", got.State)
	require.GreaterOrEqual(t, looks, 2, "the first one and the last: what the watches tell ends nothing")
}

func TestWaitIstio_SailCannotInstallIt_EndsAtOnceWithItsOwnWords(t *testing.T) {
	w := newWorld(t, "west")
	w.sailSays(kinds.IstioCNIs, "ReconcileError", cond("Reconciled", "False", "ReconcileError", `version "v1.20.0" is end-of-life and cannot be installed`))
	_, err := w.acts.WaitIstio(t.Context(), api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.EqualError(t, err, `Sail cannot install IstioCNI default: ReconcileError: version "v1.20.0" is end-of-life and cannot be installed`)
}
