package rights

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// ClusterRole returns the least role with which a worker can roll out and clean up a
// cluster, made from the same list that the preflight asks for. It is for the
// whole cluster, since a rollout makes the namespaces that it works in.
func ClusterRole(name string, n Needs) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: name}}
	verbs := map[[2]string][]string{}
	for _, r := range For(n) {
		on := [2]string{r.Group, r.Resource.Resource}
		verbs[on] = append(verbs[on], r.Verbs...)
	}
	for on, list := range verbs {
		slices.Sort(list)
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{on[0]}, Resources: []string{on[1]}, Verbs: slices.Compact(list)})
	}
	// Istio before 1.26, or under a revision, does not bind its reader: Landbridge does,
	// and Kubernetes asks for this right then.
	role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{kinds.ClusterRoles.Group}, Resources: []string{kinds.ClusterRoles.Resource},
		ResourceNames: []string{ReaderRole(n.Namespace, n.Revision)}, Verbs: []string{"bind"}})
	// What a worker may not look into, it does not delete. Which kinds people and platforms
	// put into a namespace nobody knows in advance. The preflight does not insist on this.
	role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"list"}})
	slices.SortFunc(role.Rules, func(a, b rbacv1.PolicyRule) int {
		return strings.Compare(a.APIGroups[0]+"/"+a.Resources[0], b.APIGroups[0]+"/"+b.Resources[0])
	})
	return role
}

// ReaderRole names Istio's own ClusterRole for the account that other clusters read
// with, of one revision of Istio ("" and "default" mean the default revision).
func ReaderRole(namespace, revision string) string {
	if revision == "" || revision == fleet.DefaultRevision {
		return "istio-reader-clusterrole-" + namespace
	}
	return "istio-reader-clusterrole-" + revision + "-" + namespace
}
