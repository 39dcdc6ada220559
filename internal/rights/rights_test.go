package rights_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/rights"
)

var update = flag.Bool("update", false, "write testdata/*.yaml")

// clusters lists those that need different rights.
var clusters = map[string]rights.Needs{
	"sail":        {Namespace: "istio-system", OwnReaders: true, IstioReaders: true},
	"existing":    {Namespace: "istio-system", OwnReaders: true, IstioReaders: true, ExistingIstio: true},
	"adopt":       {Namespace: "istio-system", OwnReaders: true, IstioReaders: true, Adopt: true},
	"openshift":   {Namespace: "istio-system", OwnReaders: true, IstioReaders: true, OpenShift: true},
	"skip-proof":  {Namespace: "istio-system", OwnReaders: true, IstioReaders: true, SkipProof: true},
	"revision":    {Namespace: "mesh", Revision: "canary", IstioReaders: true},
	"own-readers": {Namespace: "istio-system", OwnReaders: true},
}

func TestClusterRole_OfEachKindOfCluster_IsTheGoldenOne(t *testing.T) {
	for name, needs := range clusters {
		requireGolden(t, name, rights.ClusterRole("landbridge-worker", needs))
	}
}

func requireGolden(t *testing.T, name string, objects ...any) {
	t.Helper()
	var parts []string
	for _, obj := range objects {
		part, err := yaml.Marshal(obj)
		require.NoError(t, err)
		parts = append(parts, string(part))
	}
	got, path := strings.Join(parts, "---\n"), filepath.Join("testdata", name+".yaml")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run: go test ./internal/rights -update")
}

func TestClusterRole_AllowsEveryRight_AndNothingThatIsNotListed(t *testing.T) {
	for name, needs := range clusters {
		role := rights.ClusterRole("x", needs)
		all := slices.Concat(rights.For(needs), rights.Watches(needs))
		for _, r := range all {
			for _, verb := range r.Verbs {
				require.True(t, allows(role, r.Group, r.Resource.Resource, verb), "%s: %s %s", name, verb, r.Resource.Resource)
			}
		}
		for _, rule := range role.Rules {
			if rule.Resources[0] == "*" {
				require.Equal(t, []string{"list"}, rule.Verbs, "a cleanup lists what is in a namespace before it deletes it, and does no more")
				continue
			}
			for _, verb := range rule.Verbs {
				if verb == "bind" {
					require.Equal(t, []string{rights.IstioReader(needs.Namespace, needs.Revision)}, rule.ResourceNames, "no other role may be bound")
					continue
				}
				require.True(t, slices.ContainsFunc(all, func(r rights.Right) bool {
					return r.Group == rule.APIGroups[0] && r.Resource.Resource == rule.Resources[0] && slices.Contains(r.Verbs, verb)
				}), "%s: %s %v is not in the list", name, verb, rule.Resources)
			}
		}
	}
}

func allows(role *rbacv1.ClusterRole, group, resource, verb string) bool {
	return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, resource) && slices.Contains(r.Verbs, verb)
	})
}

func TestRights_NoneIsAWildcard_AndSecretsOnlyWhereLandbridgeWorks(t *testing.T) {
	for name, needs := range clusters {
		for _, r := range slices.Concat(rights.For(needs), rights.Watches(needs)) {
			require.NotContains(t, strings.Join(append([]string{r.Group, r.Resource.Resource, r.Version}, r.Verbs...), " "), "*", name)
			require.NotEmpty(t, r.Verbs, name)
			for _, secret := range []kinds.Resource{kinds.Secrets, kinds.ConfigMaps, kinds.PodLogs, kinds.PodPorts, kinds.ServiceAccounts} {
				if r.Resource == secret {
					require.Contains(t, []string{needs.Namespace, fleet.SystemNamespace}, r.In, "%s: %s in the whole cluster", name, r.Resource.Resource)
				}
			}
		}
	}
}

func TestRights_EachIsListedOnce(t *testing.T) {
	for name, needs := range clusters {
		seen := map[string]bool{}
		for _, r := range rights.For(needs) {
			key := r.GroupResource().String() + " in " + r.In
			require.False(t, seen[key], "%s: %s", name, key)
			seen[key] = true
		}
	}
}

func TestRights_AnExistingIstio_IsNotTouched(t *testing.T) {
	for _, r := range slices.Concat(rights.For(clusters["existing"]), rights.Watches(clusters["existing"])) {
		require.NotEqual(t, kinds.Istios.Group, r.Group)
	}
}

func TestIstioReader_OfEachRevision_IsIstiosName(t *testing.T) {
	require.Equal(t, "istio-reader-clusterrole-mesh", rights.IstioReader("mesh", ""))
	require.Equal(t, "istio-reader-clusterrole-mesh", rights.IstioReader("mesh", "default"))
	require.Equal(t, "istio-reader-clusterrole-canary-mesh", rights.IstioReader("mesh", "canary"))
}

// Who may have certificates signed may do that in one namespace, and nowhere else.
func TestRequests_AreOfTheNamespaceOfTheIssuer(t *testing.T) {
	worker := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "w"}
	require.Empty(t, rights.Requests("w", rights.Needs{Namespace: "istio-system"}, worker))
	for _, in := range []string{"cert-manager", "istio-system"} {
		needs := rights.Needs{Namespace: "istio-system", RequestsIn: in}
		for _, rule := range rights.ClusterRole("w", needs).Rules {
			require.NotContains(t, rule.Resources, "certificaterequests")
			require.NotContains(t, rule.Resources, "issuers")
		}
		got := rights.Requests("w", needs, worker)
		require.Len(t, got, 2)
		role, binding := got[0].(*rbacv1.Role), got[1].(*rbacv1.RoleBinding)
		require.Equal(t, in, role.Namespace)
		require.Equal(t, in, binding.Namespace)
		require.Equal(t, []rbacv1.Subject{worker}, binding.Subjects)
		require.Equal(t, []rbacv1.PolicyRule{
			{APIGroups: []string{"cert-manager.io"}, Resources: []string{"certificaterequests"}, Verbs: []string{"create", "delete", "get", "watch"}},
			{APIGroups: []string{"cert-manager.io"}, Resources: []string{"issuers"}, Verbs: []string{"get"}}}, role.Rules)
	}
}
