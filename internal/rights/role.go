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
// whole cluster, since a rollout makes the namespaces that it works in; but for CertificateRequests,
// which Requests gives.
func ClusterRole(name string, n Needs) *rbacv1.ClusterRole {
	rules := rulesOf(slices.DeleteFunc(slices.Concat(For(n), Watches(n)), ofRequests))
	// A source whose istiod reads the target's Secrets reads with Istio's own role. Who binds
	// a role must have all its rights, or this one.
	if n.IstioReaders {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{kinds.ClusterRoles.Group}, Resources: []string{kinds.ClusterRoles.Resource},
			ResourceNames: []string{IstioReader(n.Namespace, n.Revision)}, Verbs: []string{"bind"}})
	}
	// What a worker may not look into, it does not delete. Which kinds people and platforms
	// put into a namespace nobody knows in advance. The preflight does not insist on this.
	rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"list"}})
	return clusterRole(name, rules)
}

// ofRequests tells whether a right is to have an issuer of the cluster sign.
func ofRequests(r Right) bool {
	return r.Resource == kinds.CertificateRequests || r.Resource == kinds.Issuers
}

// Requests returns the Role, with its binding, to have an issuer sign in the namespace that the
// needs name, or nothing.
func Requests(name string, n Needs, worker rbacv1.Subject) []any {
	if n.RequestsIn == "" {
		return nil
	}
	return roleIn(n.RequestsIn, name, rulesOf(slices.DeleteFunc(For(n), func(r Right) bool { return !ofRequests(r) })), worker)
}

// roleIn returns a Role in a namespace and what binds it to the worker's account.
func roleIn(namespace, name string, rules []rbacv1.PolicyRule, worker rbacv1.Subject) []any {
	sortRules(rules)
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	return []any{&rbacv1.Role{TypeMeta: typeMeta(kinds.Roles), ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{TypeMeta: typeMeta(kinds.RoleBindings), ObjectMeta: meta, Subjects: []rbacv1.Subject{worker},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.Roles.Kind, Name: name}}}
}

func clusterRole(name string, rules []rbacv1.PolicyRule) *rbacv1.ClusterRole {
	sortRules(rules)
	return &rbacv1.ClusterRole{TypeMeta: typeMeta(kinds.ClusterRoles), ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
}

// rulesOf returns a rule for each kind and name, wherever the rights are.
func rulesOf(rights []Right) (rules []rbacv1.PolicyRule) {
	verbs := map[[3]string][]string{}
	for _, r := range rights {
		on := [3]string{r.Group, r.Resource.Resource, r.Name}
		verbs[on] = append(verbs[on], r.Verbs...)
	}
	for on, list := range verbs {
		slices.Sort(list)
		rule := rbacv1.PolicyRule{APIGroups: []string{on[0]}, Resources: []string{on[1]}, Verbs: slices.Compact(list)}
		if on[2] != "" {
			rule.ResourceNames = []string{on[2]}
		}
		rules = append(rules, rule)
	}
	return rules
}

func sortRules(rules []rbacv1.PolicyRule) {
	order := func(r rbacv1.PolicyRule) string {
		return r.APIGroups[0] + "/" + r.Resources[0] + "/" + strings.Join(r.ResourceNames, ",")
	}
	slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int { return strings.Compare(order(a), order(b)) })
}
