package kube_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// added are fields that turn the meaning of an object around, beside those that Landbridge sets.
var added = []struct {
	name string
	res  kinds.Resource
	// Landbridge writes object, and somebody changes it to with.
	object, with, at string
}{
	{"a denial of what was allowed", kinds.AuthorizationPolicies,
		`{"spec":{"rules":[{"to":[{"operation":{"ports":["16443"]}}]}]}}`,
		`{"spec":{"action":"DENY","rules":[{"to":[{"operation":{"ports":["16443"]}}]}]}}`, "spec.action"},
	{"a rule where nobody was let in", kinds.AuthorizationPolicies,
		`{"spec":{"selector":{"matchLabels":{"app":"g"}}}}`,
		`{"spec":{"selector":{"matchLabels":{"app":"g"}},"rules":[{"to":[{"operation":{"ports":["16443"]}}]}]}}`, "spec.rules"},
	{"a label that no pod has", kinds.AuthorizationPolicies,
		`{"spec":{"selector":{"matchLabels":{"app":"g"}}}}`,
		`{"spec":{"selector":{"matchLabels":{"app":"g","none.example.com/x":"y"}}}}`, "spec.selector.matchLabels.none.example.com/x"},
	{"a condition in a rule", kinds.AuthorizationPolicies,
		`{"spec":{"rules":[{"to":[{"operation":{"ports":["16443"]}}]}]}}`,
		`{"spec":{"rules":[{"to":[{"operation":{"ports":["16443"]}}],"when":[{"key":"source.ip","values":["10.0.0.1"]}]}]}}`, "spec.rules[0].when"},
	{"one more label of a gateway", kinds.IstioGateways,
		`{"spec":{"selector":{"app":"g"},"servers":[{"hosts":["a"],"port":{"number":1,"name":"tls","protocol":"TLS"}}]}}`,
		`{"spec":{"selector":{"app":"g","x":"y"},"servers":[{"hosts":["a"],"port":{"number":1,"name":"tls","protocol":"TLS"}}]}}`, "spec.selector.x"},
	{"another route", kinds.VirtualServices,
		`{"spec":{"hosts":["a"],"tcp":[{"route":[{"destination":{"host":"b"}}]}]}}`,
		`{"spec":{"hosts":["a"],"tcp":[{"route":[{"destination":{"host":"b"}}]}],"tls":[{"match":[{"sniHosts":["a"]}],"route":[{"destination":{"host":"evil"}}]}]}}`, "spec.tls"},
	{"no check of the certificate", kinds.DestinationRules,
		`{"spec":{"host":"a","trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL"}}}}`,
		`{"spec":{"host":"a","trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL","insecureSkipVerify":true}}}}`, "spec.trafficPolicy.tls.insecureSkipVerify"},
	{"another address", kinds.ServiceEntries,
		`{"spec":{"hosts":["a"],"resolution":"STATIC","endpoints":[{"address":"203.0.113.1"}]}}`,
		`{"spec":{"hosts":["a"],"resolution":"STATIC","endpoints":[{"address":"203.0.113.1","network":"n"}]}}`, "spec.endpoints[0].network"},
	{"a label that no pod has", kinds.NetworkPolicies,
		`{"spec":{"podSelector":{"matchLabels":{"app":"g"}},"policyTypes":["Ingress"]}}`,
		`{"spec":{"podSelector":{"matchLabels":{"app":"g","x":"y"}},"policyTypes":["Ingress"]}}`, "spec.podSelector.matchLabels.x"},
	{"one name only", kinds.Roles,
		`{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}`,
		`{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"],"resourceNames":["a"]}]}`, "rules[0].resourceNames"},
	{"rules of other roles", kinds.ClusterRoles,
		`{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}`,
		`{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}`, "aggregationRule"},
	{"an account of another namespace", kinds.RoleBindings,
		`{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"r"}]}`,
		`{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"r","namespace":"evil"}]}`, "subjects[0].namespace"},
	{"an account of another namespace", kinds.ClusterRoleBindings,
		`{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"r"}]}`,
		`{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"r","namespace":"evil"}]}`, "subjects[0].namespace"},
	{"a second cluster", kinds.Secrets, `{"data":{"west":"eA=="}}`, `{"data":{"west":"eA==","evil":"eQ=="}}`, "data.evil"},
}

// objectOf returns an object x of a kind.
func objectOf(t *testing.T, res kinds.Resource, fields string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{Object: parsed(t, fields).(map[string]any)}
	obj.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind))
	obj.SetName("x")
	if !slices.Contains([]kinds.Resource{kinds.ClusterRoles, kinds.ClusterRoleBindings, kinds.Istios, kinds.IstioCNIs}, res) {
		obj.SetNamespace("istio-system")
	}
	return obj
}

// edit has somebody set the fields of an object.
func edit(t *testing.T, c *kubetest.Cluster, res kinds.Resource, fields string) {
	t.Helper()
	obj := objectOf(t, res, fields)
	live, err := c.Get(t.Context(), res, obj.GetNamespace(), "x")
	require.NoError(t, err)
	for part, value := range parsed(t, fields).(map[string]any) {
		live.Object[part] = value
	}
	_, err = c.In(res, obj.GetNamespace()).Update(t.Context(), live, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	require.NoError(t, err)
}

func TestApply_SomebodyAddedAFieldThatTurnsTheMeaning_IsDriftOfEveryKind(t *testing.T) {
	var tried []kinds.Resource
	for _, k := range added {
		tried = append(tried, k.res)
		t.Run(k.res.Kind+"/"+k.name, func(t *testing.T) {
			c := kubetest.New("east")
			want := func() *unstructured.Unstructured { return objectOf(t, k.res, k.object) }
			require.NoError(t, writing(c, "run-1").Apply(t.Context(), want()))
			edit(t, c, k.res, k.with)

			var drift *kube.DriftError
			require.ErrorAs(t, writing(c, "run-2").Apply(t.Context(), want()), &drift)
			require.Equal(t, k.at, drift.Fields)
			require.Equal(t, "kubectl-edit", drift.By.With)

			dry := writing(c, "run-2")
			dry.DryRun = true
			require.NoError(t, dry.Apply(t.Context(), want()))
			fields := withoutAnnotations(dry.Changes().All()[0].Fields)
			require.Len(t, fields, 1)
			require.Equal(t, k.at, fields[0].Path)
			require.NotEmpty(t, fields[0].From)
			require.Empty(t, fields[0].To)

			forced := writing(c, "run-3")
			forced.ForceConflicts = true
			require.NoError(t, forced.Apply(t.Context(), want()))
			again := writing(c, "run-4")
			require.NoError(t, again.Apply(t.Context(), want()))
			require.Equal(t, []fleet.Action{fleet.Keep}, actions(again), "forcing ends it")
			now, err := c.Get(t.Context(), k.res, want().GetNamespace(), "x")
			require.NoError(t, err)
			for part, value := range parsed(t, k.object).(map[string]any) {
				require.Equal(t, value, now.Object[part])
			}
		})
	}
	require.Subset(t, tried, kube.Exclusive())
}

// A default that somebody writes out says nothing new.
func TestApply_SomebodyWroteADefaultOut_IsNoDrift(t *testing.T) {
	c := kubetest.New("east")
	want := func() *unstructured.Unstructured {
		return objectOf(t, kinds.AuthorizationPolicies, `{"spec":{"selector":{"matchLabels":{"app":"g"}}}}`)
	}
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), want()))
	edit(t, c, kinds.AuthorizationPolicies, `{"spec":{"action":"ALLOW","selector":{"matchLabels":{"app":"g"}}}}`)
	w := writing(c, "run-2")
	require.NoError(t, w.Apply(t.Context(), want()))
	require.Equal(t, []fleet.Action{fleet.Keep}, actions(w))
}

// The file changed, and somebody added a field: nobody's work is undone unasked.
func TestApply_TheFileChangedAndSomebodyAddedAField_IsDrift(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), objectOf(t, kinds.ServiceEntries, `{"spec":{"hosts":["a"]}}`)))
	edit(t, c, kinds.ServiceEntries, `{"spec":{"hosts":["a"],"exportTo":["*"]}}`)
	var drift *kube.DriftError
	require.ErrorAs(t, writing(c, "run-2").Apply(t.Context(), objectOf(t, kinds.ServiceEntries, `{"spec":{"hosts":["b"]}}`)), &drift)
	require.Equal(t, "spec.exportTo", drift.Fields)
}

func TestApply_TheSecretOfAToken_IsFilledInByKubernetes(t *testing.T) {
	c := kubetest.New("east")
	want := func() *unstructured.Unstructured {
		return objectOf(t, kinds.Secrets, `{"type":"kubernetes.io/service-account-token"}`)
	}
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), want()))
	edit(t, c, kinds.Secrets, `{"data":{"token":"eA=="}}`)
	w := writing(c, "run-2")
	require.NoError(t, w.Apply(t.Context(), want()))
	require.Equal(t, []fleet.Action{fleet.Keep}, actions(w))
}

// Kubernetes changes no data of a Secret that somebody made immutable: it is made anew, and what he
// added goes with it.
func TestApply_MadeAnewWithWhatSomebodyAdded_AtTheFirstTry(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), objectOf(t, kinds.Secrets, `{"data":{"west":"eA=="}}`)))
	edit(t, c, kinds.Secrets, `{"data":{"west":"eQ==","evil":"eQ=="},"immutable":true}`)
	forced := writing(c, "run-2")
	forced.ForceConflicts = true
	require.NoError(t, forced.Apply(t.Context(), objectOf(t, kinds.Secrets, `{"data":{"west":"eA=="}}`)))
	now, err := c.Get(t.Context(), kinds.Secrets, "istio-system", "x")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"west": "eA=="}, now.Object["data"])
}
