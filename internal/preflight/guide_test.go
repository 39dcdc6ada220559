package preflight

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
)

const gatewayByHand = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: east-west, namespace: istio-system}
spec:
  servers:
  - {port: {number: 15443, name: data-plane, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: [httpbin.default.svc.cluster.local]}
  - {port: {number: 16443, name: tls-kubernetes, protocol: TLS}, tls: {mode: ISTIO_MUTUAL}, hosts: [kube-apiserver-west.istio-system.svc.cluster.local]}
`

func TestFindGuide_TellsWhatAPersonMade_AndNothingElse(t *testing.T) {
	gateway := func(change func(spec map[string]any, obj *unstructured.Unstructured)) *unstructured.Unstructured {
		obj := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(gatewayByHand), &obj.Object))
		change(obj.Object["spec"].(map[string]any), obj)
		return obj
	}
	for name, change := range map[string]func(map[string]any, *unstructured.Unstructured){
		"": func(map[string]any, *unstructured.Unstructured) {},
		"a fleet's": func(_ map[string]any, o *unstructured.Unstructured) {
			o.SetLabels(map[string]string{fleet.LabelFleet: "prod"})
		},
		"of another sort": func(spec map[string]any, _ *unstructured.Unstructured) {
			spec["servers"] = spec["servers"].([]any)[:1]
		},
		"of another name": func(_ map[string]any, o *unstructured.Unstructured) { o.SetName("other") },
	} {
		m := newMember(t)
		m.Put(gateway(change))
		m.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.CACerts}, Data: map[string][]byte{"ca-cert.pem": m.ca}})
		found, err := FindGuide(t.Context(), m.Cluster.Cluster, namespace)
		require.NoError(t, err)
		if name != "" {
			require.Nil(t, found, name)
			continue
		}
		require.Equal(t, []string{"httpbin.default.svc.cluster.local"}, found.DataPlaneHosts)
		require.False(t, found.IntermediateEnds.IsZero())
	}
	found, err := FindGuide(t.Context(), newMember(t).Cluster.Cluster, namespace)
	require.NoError(t, err)
	require.Nil(t, found)
}
