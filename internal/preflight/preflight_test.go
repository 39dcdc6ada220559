package preflight

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestCheck_NothingInTheWay_TellsWhatTheClusterIs(t *testing.T) {
	m := newMember(t)
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	require.NotEmpty(t, out.Version)
	require.Equal(t, uid, out.UID)
	require.Equal(t, "kubernetes.default.svc", out.TLSServerName)
	require.Nil(t, out.Mesh)
	require.Nil(t, out.Inventory)
	require.Empty(t, m.Writes())
	require.Len(t, out.Checks, len(checks), "each is told")
	for i, c := range out.Checks {
		require.Equal(t, checks[i].name, c.Name)
		require.True(t, c.OK(), c.Name)
	}
}

// Each problem stands with the check that found it.
func TestCheck_AProblem_IsThatOfItsCheck(t *testing.T) {
	m := newMember(t)
	lockedBy("staging")(t, m)
	out, err := m.check(t)
	require.NoError(t, err)
	require.NotEmpty(t, out.Problems)
	var of []string
	for _, c := range out.Checks {
		if !c.OK() {
			of = append(of, c.Name)
			require.Equal(t, out.Problems, c.Problems)
		}
	}
	require.Equal(t, []string{"inventory"}, of)
}

func TestCheck_AMeshThatIsAsTheFileSays_IsReturned(t *testing.T) {
	m := newMember(t)
	mesh(without(kinds.Istios, kinds.IstioCNIs))(t, m)
	before := m.Writes()
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems, "an Istio that is there needs no Sail operator")
	require.Equal(t, "stable", out.Mesh.Istiods[0].Revision)
	require.Equal(t, before, m.Writes())
}

func TestCheck_AnInventoryOfTheFleet_IsReturned(t *testing.T) {
	m := newMember(t)
	part := fleet.Fleet{}
	part.Metadata.Name = "prod"
	_, err := m.claim.Write(t.Context(), m.Cluster.Cluster, part, fleet.Memory{}, false)
	require.NoError(t, err)
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	require.Equal(t, &part, out.Inventory)
}

func TestCheck_TakeOver_PassesTheLockOfAnotherTemporal(t *testing.T) {
	m := newMember(t)
	lockedBy("prod")(t, m)
	m.claim.TakeOver = true
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	require.NotNil(t, out.Inventory)
}

// What a check needs and cannot have is an error, which says what was asked for and
// what to do about it; each check is here.
func TestCheck_ThatCannotBeMade_IsAnErrorWithItsHint(t *testing.T) {
	broken := errors.New("etcdserver: leader changed")
	tried := map[string]bool{}
	for _, c := range []struct {
		check, verb, resource, want string
		mesh                        bool
	}{
		{"API server", "get", "version", "the API server at 127.0.0.1", false},
		{"rights", "create", "selfsubjectaccessreviews", "ask for the right to ", false},
		{"identity", "get", "namespaces", "read the namespace kube-system: ", false},
		{"kinds", "get", "customresourcedefinitions", "look for the kind Istio: ", false},
		{"mesh", "list", "istios", "list the Istio resources: ", false},
		{"mesh", "list", "deployments", "look for istiod: ", false},
		{"mesh", "list", "services", "list the Services of istio-system: ", true},
		{"mesh", "list", "authorizationpolicies", "list the AuthorizationPolicies of istio-system: ", true},
		{"versions", "list", "pods", "read the versions of the pods with app=istiod: ", false},
		{"versions", "get", "daemonsets", "read the version of the CNI plugin: ", false},
		{"CA", "get", "secrets", "read Secret istio-system/cacerts: ", false},
		{"remote secrets", "list", "secrets", "list the remote secrets of istio-system: ", false},
		{"NetworkPolicies", "list", "networkpolicies", "list the NetworkPolicies of istio-system: ", false},
		{"server name", "get", "configmaps", "read the cluster's CA bundle (ConfigMap kube-system/kube-root-ca.crt): ", false},
	} {
		t.Run(c.check+"/"+c.resource, func(t *testing.T) {
			known := checks[slices.IndexFunc(checks, func(k check) bool { return k.name == c.check })]
			forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: c.resource}, "x", errors.New("no"))
			// A person is sent to look for rights only where one lacks.
			for refusal, hint := range map[error]string{broken: known.hint, forbidden: cmp.Or(known.refused, known.hint)} {
				m := newMember(t)
				if c.mesh {
					m.withMesh()
				}
				m.refuse(c.verb, c.resource, refusal)
				_, err := m.check(t)
				require.ErrorIs(t, err, refusal)
				require.ErrorContains(t, err, c.want)
				require.True(t, strings.HasSuffix(err.Error(), hint), err.Error())
				require.Equal(t, strings.Contains(hint, "rbac"), strings.Contains(err.Error(), "rbac"))
			}
			tried[c.check] = true
		})
	}
	t.Run("egress gateways", func(t *testing.T) { // whose Deployments are listed after istiod's
		m := newMember(t)
		m.React("list", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
			ours := strings.Contains(a.(clienttesting.ListAction).GetListRestrictions().Labels.String(), fleet.ComponentEgress)
			return ours, nil, broken
		})
		_, err := m.check(t)
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "list the egress gateways in istio-system: ")
		tried["egress gateways"] = true
	})
	t.Run("for the credential", func(t *testing.T) {
		m, plugin := newMember(t), &kube.PluginError{Command: "acme-login", Reason: "printed no ExecCredential"}
		m.refuse("get", "version", plugin)
		_, err := m.check(t)
		require.EqualError(t, err, plugin.Error(), "the error says it all")
	})
	t.Run("inventory", func(t *testing.T) {
		m := newMember(t)
		m.Config.CAData = m.ca // the CA can be had without the ConfigMap, the inventory cannot
		m.refuse("get", "configmaps", apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("no")))
		_, err := m.check(t)
		require.True(t, apierrors.IsForbidden(err))
		require.True(t, strings.HasSuffix(err.Error(), "; "+checks[len(checks)-1].refused), err.Error())
		tried["inventory"] = true
	})
	for _, known := range checks {
		require.True(t, tried[known.name], known.name)
	}
}

// A cluster that forbids what the worker lacks the right for is told once.
func TestCheck_ForbiddenAndNamedAsMissing_IsNoError(t *testing.T) {
	m := newMember(t)
	mayNot("get customresourcedefinitions", "get configmaps")(t, m)
	for _, resource := range []string{"customresourcedefinitions", "configmaps", "istios"} {
		m.refuse("*", resource, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", errors.New("no")))
	}
	out, err := m.check(t)
	require.NoError(t, err)
	require.Len(t, out.Problems, 3, "ConfigMaps are read in two namespaces")
	require.Equal(t, uid, out.UID, "the other checks are made")
}

// Only what this fleet did not make is told, and what istiod reads: by its label.
func TestCheck_RemoteSecretsOfOthers_AreListedWithTheirClusters(t *testing.T) {
	m := newMember(t)
	put := func(name string, labels map[string]string, clusters ...string) {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}, Data: map[string][]byte{}}
		for _, c := range clusters {
			s.Data[c] = []byte("any")
		}
		m.Put(s)
	}
	const read = "istio/multiCluster"
	put("west-kubeconfig", map[string]string{read: "true"}, "west", "north")
	put("empty", map[string]string{read: "true"})
	put("unread", nil, "west")
	put("istio-remote-secret-west", map[string]string{read: "true", fleet.LabelFleet: "prod"}, "west")
	put("istio-remote-secret-south", map[string]string{read: "true", fleet.LabelFleet: "other"}, "south")
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems, "the rollout knows the links")
	require.Equal(t, []api.RemoteSecret{{Name: "istio-remote-secret-south", Clusters: []string{"south"}, Fleet: "other"}, {Name: "west-kubeconfig", Clusters: []string{"north", "west"}}}, out.RemoteSecrets)
}

// Sail's own control plane in Istio's namespace is adopted or compared later, and a
// second one does not stop a fleet that runs.
func TestCheck_IstiosBySail_AreNotInTheWay(t *testing.T) {
	m := newMember(t)
	m.Put(istiod("default", func(*appsv1.Deployment) {}))
	m.Put(istioResource("default", namespace, nil))
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)

	m.Put(istioResource("default", namespace, map[string]any{fleet.LabelFleet: "prod"}))
	m.Put(istiod("1-29", func(d *appsv1.Deployment) { d.Namespace = "mesh" }))
	m.Put(istiod("canary", func(*appsv1.Deployment) {}))
	out, err = m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
}
