package preflight

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
)

// The annotations are as Istio's injector and its CNI plugin write them.
func TestFindWorkloads_CountsPodsOfThisMeshOutsideItsOwnNamespace(t *testing.T) {
	m := newMember(t)
	const sidecar = `{"initContainers":["istio-init","istio-proxy"],"containers":null,"volumes":["workload-socket","istio-envoy"],"imagePullSecrets":null,"revision":"`
	for in, notes := range map[[2]string]map[string]string{
		{"shop", "injected"}:                {"sidecar.istio.io/status": sidecar + `default"}`},
		{"shop", "too"}:                     {"sidecar.istio.io/status": sidecar + `default"}`},
		{"shop", "without-a-sidecar"}:       nil,
		{"bank", "of-another-revision"}:     {"sidecar.istio.io/status": sidecar + `canary"}`},
		{"bank", "of-something-else"}:       {"sidecar.istio.io/status": "injected"},
		{"ambient", "captured"}:             {"ambient.istio.io/redirection": "enabled"},
		{"ambient", "not-captured"}:         {"ambient.istio.io/redirection": "disabled"},
		{namespace, "istio-ingressgateway"}: {"sidecar.istio.io/status": sidecar + `default"}`},
	} {
		m.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: in[0], Name: in[1], Annotations: notes}})
	}
	for revisions, want := range map[string][]api.Workloads{
		"default":        {{Namespace: "ambient", Pods: 1}, {Namespace: "shop", Pods: 2}},
		"canary":         {{Namespace: "ambient", Pods: 1}, {Namespace: "bank", Pods: 1}},
		"default canary": {{Namespace: "ambient", Pods: 1}, {Namespace: "bank", Pods: 1}, {Namespace: "shop", Pods: 2}},
	} {
		got, err := FindWorkloads(t.Context(), m.Cluster.Cluster, namespace, strings.Fields(revisions))
		require.NoError(t, err)
		require.Equal(t, want, got, revisions)
	}
}
