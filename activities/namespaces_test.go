package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func namespace(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

func (w *world) namespace(name string) *corev1.Namespace {
	w.t.Helper()
	ns, err := w.Client.CoreV1().Namespaces().Get(w.t.Context(), name, metav1.GetOptions{})
	require.NoError(w.t, err)
	return ns
}

func TestNamespaces_AdoptedOne_GetsTheLabelsThatItLacksAndLosesJustThese(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(namespace("istio-system", map[string]string{"team": "mesh"}))
	in := api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"}
	_, err := w.acts.EnsureNamespaces(t.Context(), in)
	require.NoError(t, err)
	live := w.namespace("istio-system")
	require.Equal(t, map[string]string{"team": "mesh", fleet.LabelFleet: "prod", fleet.LabelNetwork: "west-network"}, live.Labels)
	require.Equal(t, fleet.LabelFleet+","+fleet.LabelNetwork, live.Annotations[fleet.AnnotationAdopted])

	// Somebody removes one of them; the next run adds it again, and both stay ours.
	delete(live.Labels, fleet.LabelNetwork)
	w.Put(live)
	in.ClusterRef = w.by("run-2").ref
	_, err = w.acts.EnsureNamespaces(t.Context(), in)
	require.NoError(t, err)
	live = w.namespace("istio-system")
	require.Equal(t, fleet.LabelFleet+","+fleet.LabelNetwork, live.Annotations[fleet.AnnotationAdopted])
	require.Equal(t, firstRun, live.Annotations[fleet.AnnotationRun], "the first run adopted it")

	_, err = w.acts.RemoveNamespaces(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "mesh"}, w.namespace("istio-system").Labels)
}

// Where an administrator makes the namespaces, the worker need not write them.
func TestNamespaces_WithAllThatIsNeeded_AreNotWritten(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(namespace("istio-system", map[string]string{fleet.LabelNetwork: "west-network"}))
	w.Put(namespace("istio-cni", nil))
	before, writes := w.snapshot(), len(w.Writes())
	changes, err := w.acts.EnsureNamespaces(t.Context(), api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"})
	require.NoError(t, err)
	require.Equal(t, []string{"keep Namespace /istio-cni", "keep Namespace /istio-system"}, actions(changes.All()))
	_, err = w.acts.RemoveNamespaces(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Empty(t, w.Writes()[writes:])
	require.Equal(t, before, w.snapshot())
}

// Somebody takes our label off a namespace that was adopted: a cleanup still has to know what was
// added.
func TestNamespaces_AdoptedOne_WithoutTheFleetsLabel_GetsItAgain(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"}
	_, err := w.acts.EnsureNamespaces(t.Context(), in)
	require.NoError(t, err)
	live := w.namespace("istio-system")
	delete(live.Labels, fleet.LabelFleet)
	w.Put(live)
	_, err = w.acts.EnsureNamespaces(t.Context(), in)
	require.NoError(t, err)
	_, err = w.acts.RemoveNamespaces(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Empty(t, w.namespace("istio-system").Labels)
}

func TestNamespaces_AnotherNetworksLabel_IsRefused(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(namespace("istio-system", map[string]string{fleet.LabelNetwork: "other"}))
	_, err := w.acts.EnsureNamespaces(t.Context(), api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network", OnlyControlPlane: true})
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "topology.istio.io/network=other, the fleet file wants west-network")
	require.Empty(t, w.namespace("istio-system").Labels[fleet.LabelFleet])
	_, err = w.Client.CoreV1().Namespaces().Get(t.Context(), "istio-cni", metav1.GetOptions{})
	require.Error(t, err, "an existing Istio has its plugin elsewhere")
}

func TestNamespaces_BeingDeleted_IsWaitedFor(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	going, now := namespace("istio-cni", nil), metav1.Now()
	going.DeletionTimestamp, going.Finalizers = &now, []string{"x"}
	going.Status.Conditions = []corev1.NamespaceCondition{{Type: corev1.NamespaceFinalizersRemaining, Status: corev1.ConditionTrue, Message: "a.b/c in 1 resource instances"}}
	w.Put(going)
	_, err := w.acts.EnsureNamespaces(t.Context(), api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"})
	var notReady *kube.NotReadyError
	require.ErrorAs(t, err, &notReady)
	require.ErrorContains(t, err, "namespace istio-cni is being deleted; waiting until it is gone, held by the finalizer x: NamespaceFinalizersRemaining: a.b/c in 1 resource instances")
}

func TestNamespaces_WithSomebodysObjects_Stays_AndTheOtherGoes(t *testing.T) {
	w := newWorld(t, "west")
	require.NoError(t, w.Client.CoreV1().Namespaces().Delete(t.Context(), "istio-system", metav1.DeleteOptions{}))
	w.withInventory()
	_, err := w.acts.EnsureNamespaces(t.Context(), api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"})
	require.NoError(t, err)
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "notes"}})
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "kube-root-ca.crt"}})

	changes, err := w.acts.RemoveNamespaces(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.ErrorContains(t, err, "namespace istio-system stays, since it holds what Landbridge did not make: ConfigMap/notes;")
	require.Equal(t, []string{"remove Namespace /istio-cni"}, actions(changes.All()))
	require.NotNil(t, w.namespace("istio-system"))
}

// What a worker may not look into, it does not delete.
func TestNamespaces_TheWorkerMayNotListAKind_Stay(t *testing.T) {
	w := newWorld(t, "west")
	require.NoError(t, w.Client.CoreV1().Namespaces().Delete(t.Context(), "istio-system", metav1.DeleteOptions{}))
	w.withInventory()
	_, err := w.acts.EnsureNamespaces(t.Context(), api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"})
	require.NoError(t, err)
	w.server.Authorize = func(r kubetest.Request) bool { return r.Verb != "list" || r.Resource != "clusterserviceversions" }
	changes, err := w.acts.RemoveNamespaces(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	for _, ns := range []string{"istio-system", "istio-cni"} {
		require.ErrorContains(t, err, "namespace "+ns+" stays, since the worker may not list what else may be in it: clusterserviceversions.operators.coreos.com; let the worker list")
		require.NotNil(t, w.namespace(ns))
	}
	require.Empty(t, changes.All())
}
