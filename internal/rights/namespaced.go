package rights

import (
	"cmp"
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Source reads a target. Its istiod may need every Secret there.
type Source struct {
	Name         string
	ReadsSecrets bool
}

// ByAdministrator lists what an administrator makes of the whole cluster, so that the worker
// need not be allowed to: the namespaces, and the roles and bindings of the sources' readers.
func ByAdministrator(n Needs, network string, sources []Source) (objects []any) {
	for _, ns := range Namespaces(n) {
		obj := &unstructured.Unstructured{} // a typed one would be printed with an empty spec and status
		obj.SetGroupVersionKind(kinds.Namespaces.GroupVersion().WithKind(kinds.Namespaces.Kind))
		obj.SetName(ns)
		obj.SetLabels(LabelsOf(ns, n.Namespace, network))
		objects = append(objects, obj)
	}
	for _, s := range sources {
		role := IstioReader(n.Namespace, n.Revision)
		if !s.ReadsSecrets {
			own := ReaderRole(s.Name)
			role, objects = own.Name, append(objects, own)
		}
		objects = append(objects, ReaderBinding(n.Namespace, fleet.Reader(s.Name), role))
	}
	return objects
}

// Namespaces lists those that a worker works in.
func Namespaces(n Needs) []string {
	all := []string{fleet.SystemNamespace, n.Namespace}
	if cni := cmp.Or(n.CNINamespace, fleet.DefaultCNINamespace); !n.ExistingIstio && cni != n.Namespace {
		all = append(all, cni)
	}
	return all
}

// LabelsOf returns the labels that one of them needs: Istio's has the cluster's network.
func LabelsOf(namespace, istio, network string) map[string]string {
	if namespace != istio {
		return nil
	}
	return map[string]string{fleet.LabelNetwork: network}
}

// Namespaced lists the worker's roles and their bindings where an administrator makes the rest: a
// Role in each namespace, and a ClusterRole with what no namespace limits.
func Namespaced(name string, n Needs, worker rbacv1.Subject) (objects []any) {
	n.Made = Made{Namespaces: true, Readers: true}
	in := map[string][]Right{}
	for _, r := range slices.Concat(For(n), Watches(n)) {
		in[r.In] = append(in[r.In], r)
	}
	for _, ns := range slices.Sorted(maps.Keys(in)) {
		rules := rulesOf(in[ns])
		if ns == "" {
			objects = append(objects, clusterRole(name, rules), Bind(name, worker))
			continue
		}
		objects = append(objects, roleIn(ns, name, rules, worker)...)
	}
	return objects
}

// Bind gives the worker's account the ClusterRole of that name.
func Bind(name string, worker rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{TypeMeta: typeMeta(kinds.ClusterRoleBindings), ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: []rbacv1.Subject{worker},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.ClusterRoles.Kind, Name: name}}
}
