package kube

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
)

// apiServer serves TLS with a certificate for these names, and refuses everybody.
func apiServer(t *testing.T, host string, names ...string) (*Cluster, []byte) {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, []net.IP{net.IPv4(127, 0, 0, 1)}, names)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(certificate, key)
	require.NoError(t, err)
	var shown []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients leave
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(func() {
		server.Close()
		for _, s := range shown {
			require.Empty(t, s, "the check shows no credentials")
		}
	})
	return &Cluster{Name: "west", Config: &rest.Config{Host: server.URL, BearerToken: "very-secret"}}, certificate
}

func TestCheckTLS_ACertificateForTheName_IsGood(t *testing.T) {
	c, ca := apiServer(t, "api.west.test", "kubernetes.default.svc")
	require.NoError(t, c.CheckTLS(t.Context(), "kubernetes.default.svc", ca))
	require.NoError(t, c.CheckTLS(t.Context(), "KUBERNETES.default.svc", ca), "server names are case-insensitive")
}

func TestCheckTLS_NotForTheName_SaysWhichNamesThereAre(t *testing.T) {
	const not = "the API server's certificate is not for other.test; "
	const set = "set spec.clusters[].apiServer.tlsServerName to "
	for want, names := range map[string][]string{
		"it is for api.west.test: " + set + "that":                           nil,
		"it is for api.west.test and a.test: " + set + "one of them":         {"a.test"},
		"it is for api.west.test, a.test and b.test: " + set + "one of them": {"a.test", "b.test"},
	} {
		c, ca := apiServer(t, "api.west.test", names...)
		require.EqualError(t, c.CheckTLS(t.Context(), "other.test", ca), not+want)
	}
	c, ca := apiServer(t, "127.0.0.1")
	require.EqualError(t, c.CheckTLS(t.Context(), "other.test", ca), not+"it has no name at all: give the API server a certificate with one")
}

func TestCheckTLS_AnotherCA_SaysWhatToChoose(t *testing.T) {
	c, _ := apiServer(t, "api.west.test")
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw})
	for _, name := range []string{"api.west.test", "other.test"} { // a front has a name of its own, too
		var otherCA *OtherCAError
		require.ErrorAs(t, c.CheckTLS(t.Context(), name, ca), &otherCA)
		require.EqualError(t, otherCA, "the API server's certificate for "+name+" was not issued by the CA that goes into the remote secret")
	}
}

func TestCheckTLS_CannotConnect_SaysAsWhom(t *testing.T) {
	for name, c := range map[string]struct{ host, ca, want string }{
		"nobody answers": {"https://127.0.0.1:1", "", "connect to the API server as api.west.test: "},
		"no URL":         {"https://%", "", "the server in the kubeconfig of west is not a URL"},
		"no CA":          {"https://127.0.0.1:1", "garbage", "prepare the check of api.west.test: "},
	} {
		err := (&Cluster{Name: "west", Config: &rest.Config{Host: c.host}}).CheckTLS(t.Context(), "api.west.test", []byte(c.ca))
		require.ErrorContains(t, err, c.want, name)
	}
}
