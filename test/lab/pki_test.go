package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/keyutil"
)

// serveAs answers, as an API server with a cluster's certificate, with the name
// and the groups of whoever asks. It asks for a certificate of the same CA.
func serveAs(t *testing.T, ca *authority) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := r.TLS.PeerCertificates[0].Subject
		fmt.Fprint(w, who.CommonName, " ", who.Organization)
	}))
	pair, err := tls.LoadX509KeyPair(ca.file("apiserver.crt"), ca.file("apiserver.key"))
	require.NoError(t, err)
	pem, err := os.ReadFile(ca.file("ca.crt"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func testAuthority(t *testing.T, cluster string) *authority {
	t.Helper()
	ca, err := newAuthority(filepath.Join(t.TempDir(), "pki"), cluster)
	require.NoError(t, err)
	require.NoError(t, ca.issue("apiserver", identity{user: "kube-apiserver", hosts: []string{"api." + cluster + ".lab.example", "127.0.0.1"}}))
	return ca
}

// ask sends a request with nothing but a kubeconfig.
func ask(t *testing.T, kubeconfig string) (string, error) {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(cfg)
	require.NoError(t, err)
	data, err := client.RESTClient().Get().AbsPath("/").DoRaw(context.Background())
	return string(data), err
}

func TestPKI_AKubeconfigIsEnoughToBeItsUser(t *testing.T) {
	ca := testAuthority(t, "east")
	path := filepath.Join(t.TempDir(), "east.kubeconfig")
	require.NoError(t, ca.kubeconfig(path, "east", serveAs(t, ca), UserLandbridge))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.RemoveAll(ca.dir), "a kubeconfig holds all that it needs")

	who, err := ask(t, path)
	require.NoError(t, err)
	require.Equal(t, "landbridge [system:masters]", who)
}

func TestPKI_TwoClustersDoNotTrustEachOther(t *testing.T) {
	east, west := testAuthority(t, "east"), testAuthority(t, "west")
	server := serveAs(t, west)
	dir := t.TempDir()
	require.NoError(t, east.kubeconfig(filepath.Join(dir, "east"), "east", server, UserLab))
	_, err := ask(t, filepath.Join(dir, "east"))
	require.ErrorContains(t, err, "unknown authority")
}

func TestPKI_ACertificateHasTheNamesThatWereAskedFor(t *testing.T) {
	ca := testAuthority(t, "east")
	pair, err := tls.LoadX509KeyPair(ca.file("apiserver.crt"), ca.file("apiserver.key"))
	require.NoError(t, err)
	require.NoError(t, pair.Leaf.VerifyHostname("api.east.lab.example"))
	require.NoError(t, pair.Leaf.VerifyHostname("127.0.0.1"))
	require.Error(t, pair.Leaf.VerifyHostname("api.west.lab.example"))
	require.False(t, pair.Leaf.IsCA)
	require.Empty(t, pair.Leaf.Subject.Organization)
}

func TestPKI_TheKeyOfServiceAccountsIsOneThatAnAPIServerReads(t *testing.T) {
	ca := testAuthority(t, "east")
	_, err := keyutil.PrivateKeyFromFile(ca.file("sa.key"))
	require.NoError(t, err)
	_, err = keyutil.PublicKeysFromFile(ca.file("sa.key"))
	require.NoError(t, err)
}
