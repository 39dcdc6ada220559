package kube_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// writtenKinds has an object of each kind that is written field by field, and a field of each
// that a policy may set in another way and a person may change.
var writtenKinds = []struct {
	res   kinds.Resource
	spec  string
	field []string
	// admission makes mutated of the field, and a person edited.
	mutated, edited string
}{
	{kinds.ConfigMaps, `{"data":{"a":"1"}}`, []string{"data", "a"}, `"2"`, `"3"`},
	{kinds.Secrets, `{"data":{"a":"MQ=="}}`, []string{"data", "a"}, `"Mg=="`, `"Mw=="`},
	{kinds.ServiceAccounts, `{"metadata":{"labels":{"team":"a"}}}`, []string{"metadata", "labels", "team"}, `"b"`, `"c"`},
	{kinds.Services, `{"spec":{"type":"ClusterIP","ports":[{"name":"tls","port":443}]}}`, []string{"spec", "type"}, `"NodePort"`, `"LoadBalancer"`},
	{kinds.Deployments, `{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"tolerations":[{"key":"a"}],"containers":[{"name":"p","image":"auto"}]}}}}`,
		[]string{"spec", "template", "spec", "tolerations"}, `[{"key":"a"},{"key":"arch"}]`, `[{"key":"b"}]`},
	{kinds.ClusterRoleBindings, `{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},"subjects":[{"kind":"User","name":"a"}]}`,
		[]string{"subjects"}, `[{"kind":"User","name":"a"},{"kind":"Group","name":"audit"}]`, `[{"kind":"User","name":"b"}]`},
	{kinds.HorizontalAutoscalers, `{"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"Deployment","name":"d"}}}`, []string{"spec", "maxReplicas"}, `4`, `5`},
	{kinds.Istios, `{"spec":{"version":"v1.31.0","values":{"pilot":{"env":{"A":"1"}}}}}`, []string{"spec", "values", "pilot", "env", "A"}, `"2"`, `"3"`},
	{kinds.IstioCNIs, `{"spec":{"version":"v1.31.0"}}`, []string{"spec", "version"}, `"v1.31.1"`, `"v1.31.2"`},
	{kinds.IstioGateways, `{"spec":{"servers":[{"hosts":["a"],"port":{"number":443}}]}}`, []string{"spec", "servers"}, `[{"hosts":["a"],"port":{"number":8443}}]`, `[{"hosts":["b"]}]`},
	{kinds.VirtualServices, `{"spec":{"hosts":["a"]}}`, []string{"spec", "hosts"}, `["a","b"]`, `["c"]`},
	{kinds.DestinationRules, `{"spec":{"host":"a"}}`, []string{"spec", "host"}, `"b"`, `"c"`},
	{kinds.ServiceEntries, `{"spec":{"hosts":["a"],"resolution":"DNS"}}`, []string{"spec", "resolution"}, `"STATIC"`, `"NONE"`},
	{kinds.AuthorizationPolicies, `{"spec":{"action":"ALLOW"}}`, []string{"spec", "action"}, `"DENY"`, `"AUDIT"`},
}

func parsed(t *testing.T, text string) (out any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return viaInt(out)
}

// viaInt makes whole numbers what Kubernetes' own decoder does.
func viaInt(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case map[string]any:
		for k := range v {
			v[k] = viaInt(v[k])
		}
	case []any:
		for i := range v {
			v[i] = viaInt(v[i])
		}
	}
	return v
}

// What admission makes of our own write is as it will be after every other one: nothing
// to write, and no drift. What a person changes later is found, of every kind.
func TestApply_AdmissionIsNoDrift_AndAPersonIs_OfEveryKind(t *testing.T) {
	for _, k := range writtenKinds {
		t.Run(k.res.Kind, func(t *testing.T) {
			want := func() *unstructured.Unstructured { return objectOf(t, k.res, k.spec) }
			c := kubetest.New("east")
			namespace := want().GetNamespace()
			get := func() *unstructured.Unstructured {
				obj, err := c.Get(t.Context(), k.res, namespace, "x")
				require.NoError(t, err)
				return obj
			}
			require.NoError(t, writing(c, "run-1").Apply(t.Context(), want()))
			obj := get() // a webhook changes an object after the API server has noted who set what
			require.NoError(t, unstructured.SetNestedField(obj.Object, parsed(t, k.mutated), k.field...))
			c.Admit(obj)
			was := len(c.Writes())
			w := writing(c, "run-2")
			require.NoError(t, w.Apply(t.Context(), want()))
			require.Equal(t, []fleet.Action{fleet.Keep}, actions(w))
			require.Len(t, c.Writes(), was)

			obj = get()
			require.NoError(t, unstructured.SetNestedField(obj.Object, parsed(t, k.edited), k.field...))
			_, err := c.In(k.res, namespace).Update(t.Context(), obj, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
			require.NoError(t, err)
			var drift *kube.DriftError
			require.ErrorAs(t, writing(c, "run-3").Apply(t.Context(), want()), &drift)

			forced := writing(c, "run-3")
			forced.ForceConflicts = true
			require.NoError(t, forced.Apply(t.Context(), want()))
			w = writing(c, "run-4")
			require.NoError(t, w.Apply(t.Context(), want()))
			require.Equal(t, []fleet.Action{fleet.Keep}, actions(w), "forcing ends it")
		})
	}
}

// deploymentOf returns a Deployment with managedFields as an API server of 1.36 has them after
// Helm wrote a container with one variable.
func deploymentOf(t *testing.T, spec, others string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "spec": parsed(t, spec)}}
	ours := `{"f:spec":{"f:replicas":{},"f:containers":{"k:{\"name\":\"p\"}":{".":{},"f:name":{},"f:image":{},"f:env":{".":{},"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},"f:ports":{".":{},"k:{\"containerPort\":1,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}},"f:tolerations":{},"f:limits":{".":{},"f:cpu":{}}}}`
	fields := []metav1.ManagedFieldsEntry{{Manager: kube.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: &metav1.FieldsV1{Raw: []byte(ours)}}}
	if others != "" {
		fields = append(fields, metav1.ManagedFieldsEntry{Manager: "kubectl-edit", Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: &metav1.FieldsV1{Raw: []byte(others)}},
			metav1.ManagedFieldsEntry{Manager: "kubelet", Subresource: "status", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:status":{}}`)}})
	}
	obj.SetManagedFields(fields)
	return obj
}

func TestStrayed_ByWhoOwnsAField(t *testing.T) {
	want := map[string]any{"spec": parsed(t, `{"replicas":1,"limits":{"cpu":"2"},"tolerations":[{"key":"a"}],"containers":[{"name":"p","image":"auto","env":[{"name":"A","value":"1"}],"ports":[{"containerPort":1}]}]}`)}
	container := func(rest string) string {
		return `{"name":"p","image":"auto","env":[{"name":"A","value":"1"}],"ports":[{"containerPort":1,"protocol":"TCP"}]` + rest + `}`
	}
	as := func(replicas, cpu, tolerations, containers string) string {
		return `{"replicas":` + replicas + `,"limits":{"cpu":` + cpu + `},"tolerations":` + tolerations + `,"containers":[` + containers + `]}`
	}
	for name, c := range map[string]struct {
		spec, others string
		want         []string
	}{
		"nothing":                          {as("1", `"2000m"`, `[{"key":"a"}]`, container("")), "", nil},
		"admission: a value":               {as("1", `"1"`, `[{"key":"a"}]`, container("")), "", nil},
		"admission: a list is longer":      {as("1", `"2"`, `[{"key":"a"},{"key":"b"}]`, container("")), "", nil},
		"admission: a container more":      {as("1", `"2"`, `[{"key":"a"}]`, `{"name":"sidecar","image":"x"},`+container("")), "", nil},
		"admission: a field less":          {`{"replicas":1,"tolerations":[{"key":"a"}],"containers":[` + container("") + `]}`, "", nil},
		"admission: an image by a mirror":  {as("1", `"2"`, `[{"key":"a"}]`, `{"name":"p","image":"mirror/auto","env":[{"name":"B","value":"x"},{"name":"A","value":"2"}],"ports":[{"containerPort":1,"protocol":"TCP"}]}`), "", nil},
		"a person: a container more":       {as("1", `"2"`, `[{"key":"a"}]`, `{"name":"debug","image":"x"},`+container("")), `{"f:spec":{"f:containers":{"k:{\"name\":\"debug\"}":{".":{},"f:image":{},"f:name":{}}}}}`, []string{"spec.containers[0]"}},
		"a person: what is not ours":       {as("1", `"2"`, `[{"key":"a"}]`, container(`,"tty":true`)), `{"f:spec":{"f:containers":{"k:{\"name\":\"p\"}":{"f:tty":{}}}}}`, nil},
		"a person: the list is not a list": {as("1", `"2"`, `{}`, container("")), "", []string{"spec.tolerations"}},
		"a person emptied a list":          {as("1", `"2"`, `[]`, container("")), "", []string{"spec.tolerations"}},
	} {
		require.Equal(t, c.want, kube.Strayed(deploymentOf(t, c.spec, c.others), want), name)
	}
	// What changed hands is in no entry of ours any more.
	obj := deploymentOf(t, as("5", `"3"`, `[{"key":"z"}]`, `{"name":"q"}`), "")
	obj.SetManagedFields(nil)
	require.Equal(t, []string{"spec.containers[0].env", "spec.limits.cpu", "spec.replicas", "spec.tolerations[0].key"}, kube.Strayed(obj, want))
}

// A port's number is a part of its key: who changes it removes our item and puts another
// one there. The field is named all the same.
func TestStrayed_PartOfAKey_IsNamed(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}}
	}
	port := func(n string) string {
		return `"k:{\"port\":` + n + `,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}}`
	}
	live := &unstructured.Unstructured{Object: map[string]any{"spec": parsed(t, `{"ports":[{"name":"status","port":15021,"protocol":"TCP"},{"name":"tls","port":15444,"protocol":"TCP"}]}`)}}
	live.SetManagedFields([]metav1.ManagedFieldsEntry{
		entry(kube.FieldManager, `{"f:spec":{"f:ports":{".":{},`+port("15021")+`}}}`), entry("somebody", `{"f:spec":{"f:ports":{`+port("15444")+`}}}`)})
	want := map[string]any{"spec": parsed(t, `{"ports":[{"name":"status","port":15021},{"name":"tls","port":15443}]}`)}
	require.Equal(t, []string{"spec.ports[1].port", "spec.ports[1]"}, kube.Strayed(live, want))
}
