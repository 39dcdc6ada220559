package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// What the checks find out is tested in the packages proof and preflight. Here it is
// asked of a cluster by a worker, through its kubeconfig.

func TestCheckLink_NotProven_IsAnErrorOnlyWhereItMustBe(t *testing.T) {
	w := newWorld(t, "east")
	in := api.CheckLinkInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: fleet.Link{From: "east", To: "west"}}}
	r, err := w.acts.CheckLink(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, api.HopSecret, r.Hop)

	in.Must = true
	r, err = w.acts.CheckLink(t.Context(), in)
	var unproven *UnprovenError
	require.ErrorAs(t, err, &unproven)
	require.EqualError(t, err, r.Sentence())
	require.Empty(t, w.Writes())
}

func TestCheckCluster_TellsWhatIsMissing_AndWritesNothing(t *testing.T) {
	w := newWorld(t, "west")
	w.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: "7c7b3f0e"}})
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: "kube-root-ca.crt"}})
	w.React("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authv1.SelfSubjectAccessReview{}, nil // no: it may do nothing
	})
	r, err := w.acts.CheckCluster(t.Context(), api.CheckClusterInput{ClusterRef: w.ref, IstioVersion: "v1.31.3"})
	require.NoError(t, err)
	require.Equal(t, "7c7b3f0e", r.UID)
	require.NotEmpty(t, r.Version)
	require.Contains(t, r.Problems[0], "the worker may not ")
	require.Contains(t, r.Problems, "it does not know the kind Istio (sailoperator.io); install the Sail operator or OpenShift Service Mesh 3")
	require.Empty(t, w.Writes())
}

func TestInspectCluster_FindsTheMeshThatIsThere(t *testing.T) {
	w := newWorld(t, "west")
	w.Put(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "istiod", Labels: map[string]string{"app": "istiod"}}})
	w.Put(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "crossing"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer,
		Selector: map[string]string{"istio": "eastwestgateway"}, Ports: []corev1.ServicePort{{Port: fleet.DefaultDataPlanePort}}}})
	r, err := w.acts.InspectCluster(t.Context(), api.InspectClusterInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, "default", r.Istiods[0].Revision)
	require.Equal(t, "crossing", r.EastWest[0].Service)
	require.Empty(t, w.Writes())
}

func TestChecks_WithoutAKubeconfig_SayWhichIsMissing(t *testing.T) {
	w := newWorld(t, "west")
	w.ref.Kubeconfig.Path = "another"
	_, link := w.acts.CheckLink(t.Context(), api.CheckLinkInput{LinkRef: api.LinkRef{ClusterRef: w.ref}})
	_, check := w.acts.CheckCluster(t.Context(), api.CheckClusterInput{ClusterRef: w.ref})
	_, inspect := w.acts.InspectCluster(t.Context(), api.InspectClusterInput{ClusterRef: w.ref})
	for _, err := range []error{link, check, inspect} {
		var missing *kube.KubeconfigError
		require.ErrorAs(t, err, &missing)
		require.ErrorContains(t, err, "another")
	}
}
