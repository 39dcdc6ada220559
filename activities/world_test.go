package activities

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// world holds a fake cluster behind real clients, a worker that reaches it by a
// kubeconfig, and the run on whose behalf it works.
type world struct {
	*kubetest.Cluster
	t      *testing.T
	server *kubetest.Server
	acts   *Activities
	ref    api.ClusterRef
	// controller changes the status that a new Deployment gets: all is ready without it.
	controller func(*appsv1.Deployment)
	// deployments are those that there were, as they were written last.
	deployments map[string]appsv1.Deployment
	// looking says that the test asks, and not the code under test.
	looking bool
}

const firstRun = "run-1"

// newWorld makes a cluster with Istio's namespace. Its Deployments are ready at once,
// and its token Secrets filled.
func newWorld(t *testing.T, cluster string) *world {
	t.Helper()
	c := kubetest.New(cluster, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: types.UID(uidNamed(cluster))}})
	w := &world{Cluster: c, t: t, deployments: map[string]appsv1.Deployment{}, server: kubetest.Listen(t, c), ref: api.ClusterRef{Fleet: "prod", Cluster: cluster,
		Kubeconfig: fleet.Kubeconfig{Path: "kubeconfig"}, Namespace: "istio-system", CNINamespace: "istio-cni", Run: firstRun}}
	w.acts = &Activities{Access: kube.Access{Dirs: []string{t.TempDir()}}, Temporal: "temporal/default"}
	w.reaches("kubeconfig", w)
	c.React("create", "deployments", w.readyDeployment)
	c.React("update", "deployments", w.readyDeployment)
	c.React("patch", "deployments", w.scaledDeployment)
	c.React("patch", "secrets", w.filledToken)
	return w
}

// uidNamed returns the UID of a cluster's namespace kube-system.
func uidNamed(cluster string) string { return "uid of " + cluster }

// reaches gives the worker a kubeconfig of a cluster.
func (w *world) reaches(path string, other *world) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.acts.Access.Dirs[0], path), other.server.Kubeconfig(), 0o600))
}

// withInventory writes the inventory, as the first step of a rollout does.
func (w *world) withInventory() *world {
	w.t.Helper()
	_, err := w.acts.EnsureInventory(w.t.Context(), w.inventory())
	require.NoError(w.t, err)
	return w
}

func (w *world) inventory() api.EnsureInventoryInput {
	part := fleet.Fleet{Metadata: fleet.Metadata{Name: w.ref.Fleet}}
	for _, name := range []string{"east", "north", "west"} {
		part.Spec.Clusters = append(part.Spec.Clusters, fleet.Cluster{Name: name, Kubeconfig: fleet.Kubeconfig{Path: name}})
	}
	part.Spec.Links.List = slices.Concat(toWest, fromEast)
	return api.EnsureInventoryInput{ClusterRef: w.ref, Part: part, Memory: fleet.Memory{
		Member: fleet.Identity{Name: w.ref.Cluster, UID: uidNamed(w.ref.Cluster)}, Root: fleet.KnownRoot{Fingerprint: certs.Fingerprint(fleetRoot.Certificate())}}}
}

// bareInventory returns the input for one without other clusters and without a root.
func (w *world) bareInventory() api.EnsureInventoryInput {
	in := w.inventory()
	in.Part.Spec, in.Memory.Root = fleet.Spec{}, fleet.KnownRoot{}
	return in
}

// pins has the cluster remember that tokens for a source are sealed to that recipient.
func (w *world) pins(source, recipient string) {
	w.t.Helper()
	if w.ref.DryRun { // a plan seals nothing
		return
	}
	require.NoError(w.t, w.acts.claim(w.t.Context(), w.ref).Pin(w.t.Context(), w.Cluster.Cluster, source, inventory.Pin{UID: uidNamed(source), Recipient: recipient}))
}

// by makes another run the one that works.
func (w *world) by(run string) *world {
	w.ref.Run = run
	return w
}

// repeat calls a pair's EnsureX with the input of an earlier run.
func (w *world) repeat(p pair, in any) ([]fleet.Change, error) {
	copied := reflect.New(reflect.TypeOf(in)).Elem()
	copied.Set(reflect.ValueOf(in))
	copied.FieldByName("Run").SetString(w.ref.Run)
	return w.call("Ensure"+p.name, copied.Interface())
}

// call calls an activity by its name, and returns what it changed.
func (w *world) call(name string, in any) ([]fleet.Change, error) {
	out := reflect.ValueOf(w.acts).MethodByName(name).Call([]reflect.Value{reflect.ValueOf(w.t.Context()), reflect.ValueOf(in)})
	err, _ := out[1].Interface().(error)
	return out[0].Interface().(interface{ All() []fleet.Change }).All(), err
}

// readyDeployment stores a Deployment as its controller leaves it.
func (w *world) readyDeployment(action clienttesting.Action) (bool, runtime.Object, error) {
	obj := action.(interface{ GetObject() runtime.Object }).GetObject().(*unstructured.Unstructured)
	var d appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &d); err != nil {
		return true, nil, err
	}
	if d.Spec.Replicas == nil {
		d.Spec.Replicas = ptr(1)
	}
	n := *d.Spec.Replicas
	d.Generation = 1
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"}}}
	if w.controller != nil {
		w.controller(&d)
	}
	w.Put(&d)
	w.deployments[d.Name] = d
	return true, obj, nil
}

// scaledDeployment stores what a patch of the replicas leads to. Any other goes on.
func (w *world) scaledDeployment(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchAction)
	var scaled struct{ Spec struct{ Replicas *int32 } }
	if err := json.Unmarshal(patch.GetPatch(), &scaled); err != nil || patch.GetPatchType() != types.MergePatchType || scaled.Spec.Replicas == nil {
		return false, nil, err
	}
	d := w.deployments[patch.GetName()]
	d.Spec.Replicas = scaled.Spec.Replicas
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&d)
	if err != nil {
		return true, nil, err
	}
	obj := &unstructured.Unstructured{Object: fields}
	obj.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind(kinds.Deployments.Kind))
	return w.readyDeployment(clienttesting.NewUpdateAction(kinds.Deployments.GroupVersionResource, patch.GetNamespace(), obj))
}

func ptr(n int32) *int32 { return &n }

// filledToken stores a token Secret as Kubernetes' controller leaves it.
func (w *world) filledToken(action clienttesting.Action) (bool, runtime.Object, error) {
	var s corev1.Secret
	if err := json.Unmarshal(action.(clienttesting.PatchAction).GetPatch(), &s); err != nil || s.Type != corev1.SecretTypeServiceAccountToken {
		return false, nil, nil
	}
	s.Data = map[string][]byte{corev1.ServiceAccountRootCAKey: w.server.CA(), corev1.ServiceAccountTokenKey: []byte("token of " + s.Name)}
	w.Put(&s)
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	return true, &unstructured.Unstructured{Object: fields}, err
}

// snapshot returns the cluster's objects by kind and name, without what an API server
// adds, and without the inventory's lock.
func (w *world) snapshot() map[string]map[string]any {
	w.looking = true
	defer func() { w.looking = false }()
	out := map[string]map[string]any{}
	for _, obj := range w.Objects() {
		for _, f := range []string{"managedFields", "resourceVersion", "creationTimestamp", "uid", "generation"} {
			unstructured.RemoveNestedField(obj.Object, "metadata", f)
		}
		if obj.GetName() == fleet.InventoryName {
			unstructured.RemoveNestedField(obj.Object, "data", "lock.json")
		}
		for _, f := range []string{"labels", "annotations"} {
			if m, _, _ := unstructured.NestedMap(obj.Object, "metadata", f); len(m) == 0 {
				unstructured.RemoveNestedField(obj.Object, "metadata", f)
			}
		}
		out[nameOf(&obj)] = obj.Object
	}
	return out
}

func nameOf(obj *unstructured.Unstructured) string {
	return obj.GetKind() + " " + obj.GetNamespace() + "/" + obj.GetName()
}

// added returns the objects that are in a later snapshot only.
func added(before, after map[string]map[string]any) (out []*unstructured.Unstructured) {
	for name, obj := range after {
		if before[name] == nil {
			out = append(out, &unstructured.Unstructured{Object: obj})
		}
	}
	return out
}

// isHelm says whether Helm made the object.
func isHelm(obj *unstructured.Unstructured) bool {
	return obj.GetLabels()[fleet.LabelManagedBy] == "Helm" || obj.GetKind() == kinds.Secrets.Kind && obj.GetLabels()["owner"] == "helm"
}
