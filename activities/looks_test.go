package activities

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func TestCheckLink_UnprovenOne_IsAnErrorOnlyWhereItMustBeProven(t *testing.T) {
	w := newWorld(t, "east")
	in := api.CheckLinkInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: fleet.Link{From: "east", To: "west"}}}
	got, err := w.acts.CheckLink(t.Context(), in)
	require.NoError(t, err)
	require.False(t, got.Proven)
	require.Equal(t, api.HopSecret, got.Hop)
	in.Must = true
	_, err = w.acts.CheckLink(t.Context(), in)
	var unproven *UnprovenError
	require.ErrorAs(t, err, &unproven)
	require.EqualError(t, err, got.Sentence())
}

func TestInspectCluster_FindsTheMeshsNetwork(t *testing.T) {
	w := newWorld(t, "west")
	w.Put(namespace("istio-system", map[string]string{fleet.LabelNetwork: "west-network"}))
	got, err := w.acts.InspectCluster(t.Context(), api.InspectClusterInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, "west-network", got.Mesh.Network)
}

func TestCheckCluster_EmptyOne_NamesWhatStandsInTheWay(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(namespace(metav1.NamespaceSystem, nil))
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: "kube-root-ca.crt"}, Data: map[string]string{"ca.crt": string(w.server.CA())}})
	w.mayEverything()
	got, err := w.acts.CheckCluster(t.Context(), api.CheckClusterInput{ClusterRef: w.ref, IstioVersion: "v1.31.3", TLSServerName: kubetest.ServerName})
	require.NoError(t, err)
	require.Equal(t, kubetest.Version, got.Version)
	require.Equal(t, kubetest.ServerName, got.TLSServerName)
	require.Equal(t, "prod", got.Inventory.Metadata.Name)
	require.Len(t, got.Problems, 2, "it lacks the CRDs of Sail's kinds, and says that it serves Istio's: %v", got.Problems)
}

func TestActivities_KubeconfigThatTheWorkerLacks_IsNamedByEach(t *testing.T) {
	w := newWorld(t, "west")
	w.ref.Kubeconfig.Path = "missing"
	acts := reflect.ValueOf(w.acts)
	others := []string{"CheckFleet", "CheckLastChange", "EndSchedule", "RefreshSchedule", "SetRotation", "WaitChild", "Notify", "ResolveClusters"} // these reach no member
	for i := range acts.NumMethod() {
		if slices.Contains(others, acts.Type().Method(i).Name) {
			continue
		}
		in := reflect.New(acts.Method(i).Type().In(1)).Elem()
		in.FieldByName("ClusterRef").Set(reflect.ValueOf(w.ref))
		out := acts.Method(i).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
		err, _ := out[1].Interface().(error)
		var bad *kube.KubeconfigError
		require.ErrorAs(t, err, &bad, acts.Type().Method(i).Name)
		require.ErrorContains(t, err, "kubeconfig missing is in none of this worker's directories")
	}
}

// mayEverything answers every question about rights with yes.
func (w *world) mayEverything() {
	w.React("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().DeepCopyObject().(*unstructured.Unstructured)
		return true, review, unstructured.SetNestedField(review.Object, true, "status", "allowed")
	})
}
