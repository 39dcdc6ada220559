package preflight

import (
	"crypto/tls"
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
	c.Config.Host = "https://API.west.example.com:6443"
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

// A front ends TLS with a certificate of its own, whatever the name: the API server's cannot
// be seen through it, and the advice must not be to try one name after the other.
func TestServerName_BehindAFrontThatEndsTLS_IsLeftToTheProof(t *testing.T) {
	for given, want := range map[string]string{"": "kubernetes.default.svc", "gke-1.example.com": "gke-1.example.com"} {
		m := newMember(t)
		front, _ := serve(t, "gke-1.example.com")
		m.Config.Host, m.in.TLSServerName = front.URL, given
		out, err := m.check(t)
		require.NoError(t, err)
		require.Empty(t, out.Problems)
		require.Equal(t, want, out.TLSServerName)
		require.True(t, out.ServerNameUnchecked)
	}
}

// One name of an API server may have a certificate of another CA, as on OpenShift: that is
// no front, and the advice must work.
func TestServerName_OneNameHasAnotherCA_SaysWhatWorks(t *testing.T) {
	m := newMember(t)
	other, _ := serve(t, "api.west.example.com")
	m.apiServer.TLS.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "api.west.example.com" {
			return &other.TLS.Certificates[0], nil
		}
		return nil, nil
	}
	m.in.TLSServerName = "api.west.example.com"
	out, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, []string{"the API server's certificate for api.west.example.com was not issued by the CA that goes into the remote secret; " +
		"and leave spec.clusters[].apiServer.tlsServerName out, or set it to kubernetes.default.svc"}, out.Problems)
	m.in.TLSServerName = ""
	out, err = m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	require.Equal(t, "kubernetes.default.svc", out.TLSServerName)
	require.False(t, out.ServerNameUnchecked)
}
