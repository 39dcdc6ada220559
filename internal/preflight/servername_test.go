package preflight

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
)

func TestServerNames_OfTheFile_Kubeconfig_AndPlatform(t *testing.T) {
	m := newMember(t)
	c := &cluster{Cluster: m.Cluster.Cluster, in: m.in}
	require.Equal(t, []string{"kubernetes.default.svc"}, c.serverNames(t.Context()), "an address is no name")
	c.Config.Host = "https://api.west.example.com:6443"
	require.Equal(t, []string{"api.west.example.com", "kubernetes.default.svc"}, c.serverNames(t.Context()))
	m.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": kinds.Infrastructures.GroupVersion().String(), "kind": kinds.Infrastructures.Kind, "metadata": map[string]any{"name": "cluster"},
		"status": map[string]any{"apiServerInternalURI": "https://api-int.west.example.com:6443", "apiServerURL": "https://api.west.example.com:6443"}}})
	require.Equal(t, []string{"api.west.example.com", "api-int.west.example.com", "api.west.example.com", "kubernetes.default.svc"}, c.serverNames(t.Context()))
	c.in.TLSServerName = "given.example.com"
	require.Equal(t, []string{"given.example.com"}, c.serverNames(t.Context()))
	for _, at := range []string{"https://127.0.0.1:6443", "https://[::1]:6443", "https://localhost:1", "", "://", "https://"} {
		require.Empty(t, hostNames(at), at)
	}
}

func TestServerName_TheFirstThatTheCertificateIsGoodFor(t *testing.T) {
	m := newMember(t, "api-int.west.example.com", "api.west.example.com")
	m.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": kinds.Infrastructures.GroupVersion().String(), "kind": kinds.Infrastructures.Kind, "metadata": map[string]any{"name": "cluster"},
		"status": map[string]any{"apiServerInternalURI": "https://other.west.example.com:6443", "apiServerURL": "https://api.west.example.com:6443"}}})
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	require.Equal(t, "api.west.example.com", out.TLSServerName)
}

func TestServerName_WithoutTheConfigMap_TheKubeconfigsCACounts(t *testing.T) {
	m := newMember(t)
	require.NoError(t, m.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Delete(t.Context(), caConfigMap, metav1.DeleteOptions{}))
	_, err := m.check(t)
	require.ErrorContains(t, err, "read the cluster's CA bundle (ConfigMap kube-system/kube-root-ca.crt)")
	m.Config.CAData = m.ca
	out, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, "kubernetes.default.svc", out.TLSServerName)
}
