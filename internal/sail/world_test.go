package sail_test

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
	"github.com/landbridge/landbridge/internal/sail"
)

var installation = sail.Installation{Name: "prod", Namespace: "istio-system", CNINamespace: "istio-cni"}

// resource returns one of Sail's, whose operator has seen a generation of it.
func resource(r kinds.Resource, name string, seen int64, state string, conditions ...any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": r.GroupVersion().String(), "kind": r.Kind,
		"metadata": map[string]any{"name": name, "generation": int64(2)},
		"status":   map[string]any{"observedGeneration": seen, "state": state, "conditions": conditions}}}
	if r == kinds.Istios {
		o.Object["status"].(map[string]any)["activeRevisionName"] = name
	}
	return o
}

func cond(typ, status, reason, message string) map[string]any {
	return map[string]any{"type": typ, "status": status, "reason": reason, "message": message}
}

var good = []any{cond("Reconciled", "True", "", ""), cond("Ready", "True", "", "")}

func istiod(change func(*appsv1.Deployment)) *appsv1.Deployment {
	n := int32(1)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "istiod-prod", Generation: 3,
		Labels: map[string]string{"app": "istiod", "istio.io/rev": "prod"}}, Spec: appsv1.DeploymentSpec{Replicas: &n},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue}}}}
	change(d)
	return d
}

func cniPods(change func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-cni", Name: "istio-cni-node", Generation: 2},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 2, DesiredNumberScheduled: 2, CurrentNumberScheduled: 2, NumberReady: 2, NumberAvailable: 2, UpdatedNumberScheduled: 2}}
	change(ds)
	return ds
}

// fake is the one cluster of all tests: it takes longer to make than they do.
var fake = kubetest.New("west")

// installed returns the cluster, in which all is installed and runs.
func installed() *kubetest.Cluster {
	for _, obj := range []runtime.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system"}},
		resource(kinds.IstioCNIs, "default", 2, "Healthy", good...), resource(kinds.Istios, "prod", 2, "Healthy", good...),
		resource(kinds.IstioRevisions, "prod", 2, "Healthy", good...),
		istiod(func(*appsv1.Deployment) {}), cniPods(func(*appsv1.DaemonSet) {})} {
		fake.Put(obj)
	}
	return fake
}
