package rights

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Management lists the role of a worker in one namespace of the management cluster, and its
// binding: it reads the Secrets there that say how clusters are reached, each by its name, lists
// the objects of a source (spec.clustersFrom) where there is one, and writes nothing.
func Management(name, namespace, source string, worker rbacv1.Subject) []any {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	reads := []Right{{Resource: kinds.Secrets, Verbs: []string{"get"}}}
	switch source {
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
