package rights

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// ManagedClusters lists the ClusterRole with which a worker reads the ManagedClusters of Open
// Cluster Management, which are in no namespace, and its binding.
func ManagedClusters(name string, worker rbacv1.Subject) []any {
	meta := metav1.ObjectMeta{Name: name + "-managed-clusters"}
	return []any{
		&rbacv1.ClusterRole{TypeMeta: typeMeta(kinds.ClusterRoles), ObjectMeta: meta, Rules: rulesOf([]Right{{Resource: kinds.ManagedClusters, Verbs: []string{"get", "list"}}})},
		&rbacv1.ClusterRoleBinding{TypeMeta: typeMeta(kinds.ClusterRoleBindings), ObjectMeta: meta, Subjects: []rbacv1.Subject{worker},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.ClusterRoles.Kind, Name: meta.Name}},
	}
}

// Management lists the role of a worker in one namespace of the management cluster, and its
// binding: it reads the Secrets there that say how clusters are reached, each by its name, lists
// the objects of a source (spec.clustersFrom) where there is one, and writes nothing.
func Management(name, namespace, source string, worker rbacv1.Subject) []any {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	reads := []Right{{Resource: kinds.Secrets, Verbs: []string{"get"}}}
	switch source {
	case fleet.SourceClusterProfile: // whose credentials are no Secret's
		reads = []Right{{Resource: kinds.ClusterProfiles[0], Verbs: []string{"get", "list"}}}
	case fleet.SourceArgoCD:
		reads = append(reads, Right{Resource: kinds.Secrets, Verbs: []string{"list"}})
	case fleet.SourceCAPI:
		reads = append(reads, Right{Resource: kinds.CAPIClusters[0], Verbs: []string{"list"}})
	}
	rules := rulesOf(reads)
	sortRules(rules)
	return []any{
		&rbacv1.Role{TypeMeta: typeMeta(kinds.Roles), ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{TypeMeta: typeMeta(kinds.RoleBindings), ObjectMeta: meta, Subjects: []rbacv1.Subject{worker},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.Roles.Kind, Name: name}},
	}
}

// Fleets lists the role with which a worker reconciles the Fleet resources of a namespace
// (--watch-fleets), and its binding: it writes their status and their finalizer.
func Fleets(name, namespace string, worker rbacv1.Subject) []any {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name + "-fleets"}
	status := kinds.Fleets
	status.Resource += "/status"
	rules := rulesOf([]Right{{Resource: kinds.Fleets, Verbs: []string{"get", "list", "watch", "patch"}}, {Resource: status, Verbs: []string{"patch"}}})
	sortRules(rules)
	return []any{
		&rbacv1.Role{TypeMeta: typeMeta(kinds.Roles), ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{TypeMeta: typeMeta(kinds.RoleBindings), ObjectMeta: meta, Subjects: []rbacv1.Subject{worker},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.Roles.Kind, Name: meta.Name}},
	}
}
