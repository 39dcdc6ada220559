package sail_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
	"github.com/landbridge/landbridge/internal/sail"
)

// of lists Sail's resources of an installation, each with its name.
var of = []struct {
	res  kinds.Resource
	name string
}{{kinds.IstioCNIs, "default"}, {kinds.Istios, "prod"}, {kinds.IstioRevisions, "prod"}}

// Whatever one of the three says, only all three and the pods together are ready.
func TestLook_OneOfThemIsNotReady(t *testing.T) {
	bad := func(typ, status, reason, message string) []any {
		return []any{cond("Reconciled", "True", "", ""), cond("Ready", "True", "", ""), cond(typ, status, reason, message)}
	}
	for name, c := range map[string]struct {
		status  func(kinds.Resource, string) *unstructured.Unstructured
		waiting string
		unseen  bool
	}{
		"an older generation was seen": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 1, "Healthy", good...)
		},
			"has not been looked at by Sail yet", true},
		"no status": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			o := resource(r, n, 0, "")
			delete(o.Object, "status")
			return o
		}, "has not been looked at by Sail yet", true},
		"no conditions": {func(r kinds.Resource, n string) *unstructured.Unstructured { return resource(r, n, 2, "Healthy") }, "has not been looked at by Sail yet", true},
		"no state":      {func(r kinds.Resource, n string) *unstructured.Unstructured { return resource(r, n, 2, "", good...) }, "is in no known state", false},
		"not ready": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 2, "IstiodNotReady", cond("Ready", "False", "IstiodNotReady", "not all istiod pods are ready"))
		}, "is IstiodNotReady: not all istiod pods are ready", false},
		"ready is not known": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 2, "Healthy", cond("Ready", "Unknown", "", ""))
		}, "is Healthy", false},
		"an error that may pass": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 2, "ReconcileError", bad("Reconciled", "False", "ReconcileError", `error reconciling resource: failed to install/update Helm chart "istiod": namespaces "istio-system" not found`)...)
		}, "is ReconcileError: error reconciling resource: failed to install/update Helm chart", false},
		"what it depends on": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 2, "IstioCNINotHealthy", bad("DependenciesHealthy", "False", "IstioCNINotHealthy", "IstioCNI resource status indicates that the component is not healthy")...)
		}, "is IstioCNINotHealthy: IstioCNI resource status indicates", false},
		"conditions of no known shape": {func(r kinds.Resource, n string) *unstructured.Unstructured {
			return resource(r, n, 2, "", "x", int64(1), nil)
		}, "is in no known state", false},
	} {
		for _, o := range of {
			t.Run(name+"/"+o.res.Kind, func(t *testing.T) {
				w := installed()
				w.Put(c.status(o.res, o.name))
				r, err := sail.Look(t.Context(), w.Cluster, installation)
				require.NoError(t, err)
				require.Contains(t, r.Waiting, c.waiting)
				require.Contains(t, r.Waiting, o.res.Kind+" "+o.name)
				require.Equal(t, c.unseen, r.Unseen)
			})
		}
	}
}

func TestLook_AllIsReady_WhetherTheRevisionIsInUseOrNot(t *testing.T) {
	w := installed()
	w.Put(resource(kinds.IstioRevisions, "prod", 2, "Healthy", append([]any{cond("InUse", "False", "NotReferenced", "Not referenced by any pod or namespace")}, good...)...))
	r, err := sail.Look(t.Context(), w.Cluster, installation)
	require.NoError(t, err)
	require.Equal(t, sail.Report{State: "Healthy"}, r)
}

// After an update Istio tells of the state before, until the operator gets round to the
// revision: nothing but the revision's own generation gives it away.
func TestLook_PodsOfTheStateBefore(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*kubetest.Cluster)
		waiting string
	}{
		"the revision is not there": {func(w *kubetest.Cluster) { remove(t, w, kinds.IstioRevisions, "", "prod") }, "IstioRevision prod does not exist yet"},
		"the revision is going": {func(w *kubetest.Cluster) {
			rev, now := resource(kinds.IstioRevisions, "prod", 2, "Healthy", good...), metav1.Now()
			rev.SetDeletionTimestamp(&now)
			rev.SetFinalizers([]string{"sailoperator.io/sail-operator"})
			w.Put(rev)
		}, "IstioRevision prod is being deleted"},
		"no istiod": {func(w *kubetest.Cluster) { remove(t, w, kinds.Deployments, "istio-system", "istiod-prod") }, "there is no Deployment of istiod of revision prod in istio-system"},
		"an istiod of another one": {func(w *kubetest.Cluster) {
			w.Put(istiod(func(d *appsv1.Deployment) { d.Labels["istio.io/rev"] = "old" }))
		}, "there is no Deployment of istiod of revision prod"},
		"istiod's old pod runs": {func(w *kubetest.Cluster) {
			w.Put(istiod(func(d *appsv1.Deployment) { d.Status.Replicas, d.Status.UpdatedReplicas = 2, 1 }))
		}, "Deployment istio-system/istiod-prod is not ready yet"},
		"istiod is not updated": {func(w *kubetest.Cluster) { w.Put(istiod(func(d *appsv1.Deployment) { d.Generation = 4 })) }, "Deployment istio-system/istiod-prod is not ready yet"},
		"no DaemonSet":          {func(w *kubetest.Cluster) { remove(t, w, kinds.DaemonSets, "istio-cni", "istio-cni-node") }, "DaemonSet istio-cni/istio-cni-node does not exist yet"},
		"old pods of the plugin": {func(w *kubetest.Cluster) {
			w.Put(cniPods(func(ds *appsv1.DaemonSet) { ds.Status.UpdatedNumberScheduled = 1 }))
		}, "DaemonSet istio-cni/istio-cni-node is not ready yet"},
		"the plugin is not updated": {func(w *kubetest.Cluster) { w.Put(cniPods(func(ds *appsv1.DaemonSet) { ds.Generation = 3 })) }, "DaemonSet istio-cni/istio-cni-node is not ready yet"},
	} {
		t.Run(name, func(t *testing.T) {
			w := installed()
			c.change(w)
			r, err := sail.Look(t.Context(), w.Cluster, installation)
			require.NoError(t, err)
			require.Contains(t, r.Waiting, c.waiting)
		})
	}
}

func remove(t *testing.T, w *kubetest.Cluster, r kinds.Resource, namespace, name string) {
	t.Helper()
	require.NoError(t, w.In(r, namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

// Only the operator's own sentences end a wait: not Helm's, not what is out of date.
func TestLook_SailRefuses(t *testing.T) {
	const wrapped = "error reconciling resource: "
	for name, c := range map[string]struct {
		message string
		final   bool
	}{
		"end of life":                    {`validation error: version "v1.24.3" is end-of-life and cannot be installed`, true},
		"no namespace":                   {`validation error: namespace "gone" doesn't exist`, true},
		"the namespace is going":         {`validation error: namespace "going" is being deleted`, true},
		"the namespace is there by now":  {`validation error: namespace "istio-system" doesn't exist`, false},
		"the namespace is there, really": {`validation error: namespace "istio-system" is being deleted`, false},
		"Helm names a namespace":         {`failed to install/update Helm chart "istiod": namespaces "gone" not found`, false},
		"a field":                        {"validation error: spec.values not set", false},
	} {
		for _, o := range of {
			t.Run(name+"/"+o.res.Kind, func(t *testing.T) {
				w := installed()
				now := metav1.Now()
				w.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "going", DeletionTimestamp: &now, Finalizers: []string{"kubernetes"}}})
				message := wrapped + c.message
				if o.res == kinds.Istios {
					message = c.message // what it says of itself
				}
				w.Put(resource(o.res, o.name, 2, "ReconcileError", cond("Reconciled", "False", "ReconcileError", message), cond("Ready", "Unknown", "ReconcileError", "cannot determine readiness")))
				r, err := sail.Look(t.Context(), w.Cluster, installation)
				if !c.final {
					require.NoError(t, err)
					require.Contains(t, r.Waiting, c.message)
					return
				}
				var dead *kube.DeadEndError
				require.ErrorAs(t, err, &dead)
				require.EqualError(t, err, fmt.Sprintf("Sail cannot install %s %s: ReconcileError: %s", o.res.Kind, o.name, message))
			})
		}
	}
}

// The version was past its end of life and is changed: Istio copies what its revision
// said before.
func TestLook_RefusalOfTheStateBefore_IsNotFinal(t *testing.T) {
	w := installed()
	refused := []any{cond("Reconciled", "False", "ReconcileError", `error reconciling resource: validation error: version "v1.24.3" is end-of-life and cannot be installed`)}
	w.Put(resource(kinds.Istios, "prod", 2, "ReconcileError", refused...))
	w.Put(resource(kinds.IstioRevisions, "prod", 1, "ReconcileError", refused...))
	r, err := sail.Look(t.Context(), w.Cluster, installation)
	require.NoError(t, err)
	require.Equal(t, "IstioRevision prod has not been looked at by Sail yet", r.Waiting)
}

func TestOperator_NamesItsDeployment(t *testing.T) {
	deployment := func(change func(*appsv1.Deployment)) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "openshift-operators", Name: "servicemesh-operator3",
			Labels: map[string]string{"app.kubernetes.io/created-by": "servicemeshoperator3"}}, Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}
		change(d)
		return d
	}
	for want, objs := range map[string][]*appsv1.Deployment{
		"its operator (Deployment openshift-operators/servicemesh-operator3) runs; its log says more":                               {deployment(func(*appsv1.Deployment) {})},
		"its operator (Deployment openshift-operators/servicemesh-operator3) does not run: none of its pods is ready":               {deployment(func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 0 })},
		"its operator (Deployment openshift-operators/servicemesh-operator3) does not run: it is scaled to 0; scale it up":          {deployment(func(d *appsv1.Deployment) { d.Spec.Replicas, d.Status.ReadyReplicas = new(int32), 0 })},
		"no Deployment of a Sail operator is found (app.kubernetes.io/created-by in (sailoperator,servicemeshoperator3)); start it": nil,
	} {
		w := kubetest.New("west")
		for _, o := range objs {
			w.Put(o)
		}
		require.Equal(t, want, sail.Operator(t.Context(), w.Cluster))
	}
}

func TestAsking_OnlyWhereTheOperatorIsAwaitedForLong(t *testing.T) {
	require.Equal(t, 10*time.Second, sail.Patience)
	var a sail.Asking
	w := kubetest.New("west")
	require.Equal(t, "waits", a.About(t.Context(), w.Cluster, "waits", true), "it has just begun")
	a.Since(time.Now().Add(-2 * sail.Patience))
	require.Contains(t, a.About(t.Context(), w.Cluster, "waits", true), "waits; no Deployment of a Sail operator is found")
	require.Equal(t, "waits", a.About(t.Context(), w.Cluster, "waits", false), "the operator has acted")
	require.Equal(t, "waits", a.About(t.Context(), w.Cluster, "waits", true), "it begins anew")
}
