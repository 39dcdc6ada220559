package rights

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
)

// ClusterRole returns the least role with which a worker can roll out and clean up a
// cluster, made from the same list that the preflight asks for, and the rights to watch. It is for the
// whole cluster, since a rollout makes the namespaces that it works in.
func ClusterRole(name string, n Needs) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: name}}
	verbs := map[[2]string][]string{}
	for _, r := range slices.Concat(For(n), Watches(n)) {
		on := [2]string{r.Group, r.Resource.Resource}
		verbs[on] = append(verbs[on], r.Verbs...)
	}
	for on, list := range verbs {
		slices.Sort(list)
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{on[0]}, Resources: []string{on[1]}, Verbs: slices.Compact(list)})
	}
	// A source whose istiod reads the target's Secrets reads with Istio's own role. Who binds
	// a role must have all its rights, or this one.
	role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{kinds.ClusterRoles.Group}, Resources: []string{kinds.ClusterRoles.Resource},
		ResourceNames: []string{IstioReader(n.Namespace, n.Revision)}, Verbs: []string{"bind"}})
	// What a worker may not look into, it does not delete. Which kinds people and platforms
	// put into a namespace nobody knows in advance. The preflight does not insist on this.
	role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"list"}})
	order := func(r rbacv1.PolicyRule) string {
		return r.APIGroups[0] + "/" + r.Resources[0] + "/" + strings.Join(r.ResourceNames, ",")
	}
	slices.SortFunc(role.Rules, func(a, b rbacv1.PolicyRule) int { return strings.Compare(order(a), order(b)) })
	return role
}
