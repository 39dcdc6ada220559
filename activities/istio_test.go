package activities

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestIstio_ValuesOfTheFleetFileAreLaidOverOurs(t *testing.T) {
	in := api.EnsureIstioInput{ClusterRef: api.ClusterRef{Cluster: "west", Namespace: "istio-system"}, Network: "w",
		Istio: fleet.Istio{Name: "default", Version: "v1.31.3", MeshID: "m", TrustDomain: "td", Platform: "openshift",
			Values: map[string]any{"meshConfig": map[string]any{"accessLogFile": ""}, "pilot": map[string]any{"cpu": "1"}}}}
	values := istio(in).Object["spec"].(map[string]any)["values"].(map[string]any)
	require.Equal(t, "", values["meshConfig"].(map[string]any)["accessLogFile"])
	require.Equal(t, "td", values["meshConfig"].(map[string]any)["trustDomain"])
	require.Equal(t, map[string]any{"cpu": "1"}, values["pilot"])
	require.Equal(t, map[string]any{"meshID": "m", "multiCluster": map[string]any{"clusterName": "west"}, "network": "w", "platform": "openshift"}, values["global"])
}

// Without the setting Envoy listens on IPv4 only where a pod has both families.
func TestIstio_DualStack_IsToldToIstiodAndToItsProxies(t *testing.T) {
	in := api.EnsureIstioInput{ClusterRef: api.ClusterRef{Cluster: "west", Namespace: "istio-system"}, Network: "w", Istio: guideIstio()}
	setting := func() (pilot, proxy any) {
		values := istio(in).Object["spec"].(map[string]any)["values"]
		pilot, _, _ = unstructured.NestedFieldNoCopy(values.(map[string]any), "pilot", "env", dualStack)
		proxy, _, _ = unstructured.NestedFieldNoCopy(values.(map[string]any), "meshConfig", "defaultConfig", "proxyMetadata", dualStack)
		return pilot, proxy
	}
	pilot, proxy := setting()
	require.Equal(t, []any{nil, nil}, []any{pilot, proxy})
	for policy, want := range map[string]bool{"": false, fleet.SingleStack: false, fleet.PreferDualStack: true, fleet.RequireDualStack: true} {
		require.Equal(t, want, fleet.Service{IPFamilyPolicy: policy}.DualStack(), policy)
	}
	require.True(t, fleet.Service{IPFamilies: []string{"IPv6"}}.DualStack())
	require.False(t, fleet.Service{IPFamilies: []string{"IPv4"}}.DualStack())
	in.DualStack = true
	pilot, proxy = setting()
	require.Equal(t, []any{"true", "true"}, []any{pilot, proxy})
	in.Istio.Values = map[string]any{"pilot": map[string]any{"env": map[string]any{dualStack: "false"}}}
	pilot, _ = setting()
	require.Equal(t, "false", pilot, "the fleet file's values come last")
}

func (w *world) istio() api.EnsureIstioInput {
	return api.EnsureIstioInput{ClusterRef: w.ref, Istio: guideIstio(), Network: "west-network"}
}

func TestIstio_ExistingOneThatDiffers_IsRefusedByItsField(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	theirs := istio(w.istio())
	theirs.Object["spec"].(map[string]any)["values"].(map[string]any)["global"].(map[string]any)["network"] = "other"
	w.Put(theirs)
	_, err := w.acts.EnsureIstio(t.Context(), w.istio())
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "Istio default existed before and differs from the fleet file in spec.values.global.network")
}

// A typed schema refuses a value by a plain 500, to a dry run as to a write. Both end at once
// and name the setting; a plan asks only about what Sail types.
func TestIstio_ValueThatSailDoesNotKnow_IsInvalidAtOnce(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.React("patch", "istios", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("failed to create typed patch object (/default; sailoperator.io/v1, Kind=Istio): .spec.values.pilot.autoscaleEnbled: field not declared in schema"))
	})
	for _, dry := range []bool{true, false} {
		in := w.istio()
		in.DryRun = dry
		writes := len(w.Writes())
		_, err := w.acts.EnsureIstio(t.Context(), in)
		require.ErrorContains(t, err, "autoscaleEnbled: field not declared in schema; correct spec.istio.values")
		require.Equal(t, api.TypeInvalid, typeOf(err))
		if dry {
			require.Empty(t, w.Writes()[writes:])
		}
	}
}

// Nothing differs from the fleet file, and yet Istio may not run: a plan, and so drift,
// says it.
func TestIstio_PlanOfWhatIsAsItShouldBe_TellsThatItDoesNotRun(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, err := w.acts.EnsureIstio(t.Context(), w.istio())
	require.NoError(t, err)
	in := w.by("run-2").istio()
	in.DryRun = true
	got, err := w.acts.EnsureIstio(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"keep IstioCNI /default", "keep Istio /default", "wait Istio /default"}, actions(got.All()))
	require.Contains(t, got.All()[2].Note, "IstioCNI default has not been looked at by Sail yet; no Deployment of a Sail operator is found")

	in.Istio.Version = "v9" // it would be changed: what runs now is of no interest
	got, err = w.acts.EnsureIstio(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"update IstioCNI /default", "update Istio /default"}, actions(got.All()))
}

// rootConfigMap returns a ConfigMap as istiod writes it into every namespace.
func rootConfigMap(namespace string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istio-ca-root-cert", Labels: map[string]string{"istio.io/config": "true"}}}
}

func TestRemoveIstio_TheLastIstiod_TakesItsConfigMapsAlong(t *testing.T) {
	istiod := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "istiod", Labels: map[string]string{"app": "istiod"}}}
	for name, c := range map[string]struct {
		prepare func(*world)
		stays   bool
	}{
		"the last":             {func(*world) {}, false},
		"another istiod":       {func(w *world) { w.Put(istiod) }, true},
		"another Istio":        {func(w *world) { other := istio(w.istio()); other.SetName("other"); w.Put(other) }, true},
		"no right to look":     {func(w *world) { w.forbid("list", "deployments") }, true},
		"no right to list":     {func(w *world) { w.forbid("list", "configmaps") }, true},
		"no right to delete":   {func(w *world) { w.forbid("delete", "configmaps") }, true},
		"no right to see pods": {func(w *world) { w.forbid("list", "pods") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "west").withInventory()
			_, err := w.acts.EnsureIstio(t.Context(), w.istio())
			require.NoError(t, err)
			w.Put(rootConfigMap("app"))
			c.prepare(w)
			changes, err := w.acts.RemoveIstio(t.Context(), api.RemoveInput{ClusterRef: w.ref})
			require.NoError(t, err)
			require.Subset(t, actions(changes.All()), []string{"remove Istio /default", "remove IstioCNI /default"})
			_, left := w.snapshot()["ConfigMap app/istio-ca-root-cert"]
			require.Equal(t, c.stays, left)
		})
	}
}

func TestRemoveIstio_UndoOfARunThatMadeNone_LeavesIstiodsConfigMaps(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(rootConfigMap("app"))
	changes, err := w.acts.RemoveIstio(t.Context(), api.RemoveInput{ClusterRef: w.ref, OnlyRun: firstRun})
	require.NoError(t, err)
	require.Empty(t, changes.All())
	require.Contains(t, w.snapshot(), "ConfigMap app/istio-ca-root-cert")
}

// forbid has the cluster refuse a verb on a resource, except to a test.
func (w *world) forbid(verb, resource string) {
	w.React(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		if w.looking {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(kinds.Secrets.GroupResource(), "", nil)
	})
}
