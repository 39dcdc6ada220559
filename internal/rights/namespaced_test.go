package rights_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/landbridge/landbridge/internal/rights"
)

var worker = rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "ops", Name: "bridge"}

// ofNamespaced lists all that an administrator applies for the cluster west.
func ofNamespaced(needs rights.Needs) []any {
	made := rights.ByAdministrator(needs, "west-network", []rights.Source{{Name: "east", ReadsSecrets: true}, {Name: "north"}})
	return append(made, rights.Namespaced("landbridge-worker", needs, worker)...)
}

func TestNamespaced_OfACluster_IsTheGoldenOne(t *testing.T) {
	requireGolden(t, "namespaced", ofNamespaced(rights.Needs{Namespace: "istio-system", IstioName: "default", OwnReaders: true, IstioReaders: true})...)
	requireGolden(t, "namespaced-existing", ofNamespaced(rights.Needs{Namespace: "mesh", Revision: "canary", ExistingIstio: true, SkipProof: true, IstioReaders: true})...)
}

// What the worker may do in the whole cluster reads no Secrets, forwards no ports, gives nobody a
// right, and deletes, or writes at all, only what has a name of the fleet's.
func TestNamespaced_InTheWholeCluster_AllowsLittle(t *testing.T) {
	for name, needs := range clusters {
		needs.IstioName = "default"
		var found bool
		for _, obj := range rights.Namespaced("landbridge-worker", needs, worker) {
			role, ok := obj.(*rbacv1.ClusterRole)
			if !ok {
				continue
			}
			found = true
			for _, rule := range role.Rules {
				for _, of := range []string{"*", "secrets", "pods/portforward", "pods/log", "serviceaccounts", "serviceaccounts/token", "configmaps"} {
					require.NotContains(t, rule.Resources, of, name)
				}
				reads := !slices.ContainsFunc(rule.Verbs, func(v string) bool { return !slices.Contains([]string{"get", "list", "watch"}, v) })
				require.True(t, reads || rule.APIGroups[0] == "sailoperator.io" && slices.Equal(rule.ResourceNames, []string{"default"}), "%s: %v", name, rule)
			}
		}
		require.True(t, found, name)
	}
}

func TestNamespaced_ProofsAreOff_ForwardsNoPortsAnywhere(t *testing.T) {
	for _, skip := range []bool{true, false} {
		var forwards bool
		for _, obj := range rights.Namespaced("landbridge-worker", rights.Needs{Namespace: "istio-system", SkipProof: skip}, worker) {
			if role, ok := obj.(*rbacv1.Role); ok {
				forwards = forwards || slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "pods/portforward") })
			}
		}
		require.Equal(t, !skip, forwards)
	}
}
