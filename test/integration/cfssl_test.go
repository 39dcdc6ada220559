package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/cli"
	"github.com/cloudflare/cfssl/cli/serve"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	"github.com/landbridge/landbridge/certs"
)

// asCFSSL makes the program of these tests cfssl itself, with the one command `serve`.
const asCFSSL = "LANDBRIDGE_TEST_AS_CFSSL"

func beCFSSL() int {
	if cli.Start(map[string]*cli.Command{"serve": serve.Command}) != nil {
		return 1
	}
	return 0
}

// cfsslConfig is that of docs/credentials.md, with a key of the test's.
const (
	cfsslKey    = "0123456789abcdef0123456789abcdef"
	cfsslConfig = `{"signing": {"default": {"expiry": "8760h", "usages": ["cert sign"], "auth_key": "landbridge"}, "profiles": {"landbridge": {
  "expiry": "8760h", "usages": ["digital signature", "content commitment", "key encipherment", "cert sign"], "auth_key": "landbridge",
  "copy_extensions": true, "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}}}},
  "auth_keys": {"landbridge": {"type": "standard", "key": "` + cfsslKey + `"}}}`
)

// cfssl runs the real `cfssl serve` with the root's key, until it is stopped or the test ends.
func (w *world) cfssl(root *certs.Root) (url string, serverCA []byte, stop func()) {
	t, dir := w.t, w.t.TempDir()
	own, ownKey, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	require.NoError(t, err)
	for name, data := range map[string][]byte{"ca.pem": root.CertPEM, "ca-key.pem": root.KeyPEM, "tls.pem": own, "tls-key.pem": ownKey, "config.json": []byte(cfsslConfig)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	port := fmt.Sprint(freePort(t))
	cmd := exec.Command(os.Args[0], "serve", "-address", "127.0.0.1", "-port", port, "-disable", "sign", "-ca", "ca.pem", "-ca-key", "ca-key.pem",
		"-config", "config.json", "-tls-cert", "tls.pem", "-tls-key", "tls-key.pem", "-loglevel", "3")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asCFSSL+"=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	stop = func() {
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			return // it was stopped before
		}
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("cfssl: %s", out.String())
		}
	})
	// The first certificate is the server's own, the one after it its CA.
	return "https://127.0.0.1:" + port, own[bytes.LastIndex(own, []byte("-----BEGIN CERTIFICATE")):], stop
}

// A company's cfssl server signs for both clusters, and Landbridge never has its key.
func TestIssuer_CFSSLServer_SignsForAllAndRenews(t *testing.T) {
	w := stillWorld(t)
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Company Root", Organization: "my-company.org", KeyAlgorithm: certs.ECDSAP256, Lifetime: 3650 * 24 * time.Hour})
	require.NoError(t, err)
	url, serverCA, stop := w.cfssl(root)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", fmt.Sprintf("ca: {keyAlgorithm: ECDSA-P256, issuer: {cfssl: {url: %q, profile: landbridge, serverCA: %q}}}", url, serverCA))

	w.start() // without the key
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "--cfssl-auth-key-file")
	same()
	w.stop()

	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte(url+" "+cfsslKey+"\n"), 0o600))
	w.startWith("--kubeconfig-dir", w.lab.Dir, "--cfssl-auth-key-file", keys)
	require.Contains(t, w.must("rollout", "-f", file), "2 clusters and 2 links rolled out")
	chain := func(name string) []byte {
		s, err := w.connect(name).CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
		require.NoError(t, err)
		set := certs.CACertsFrom(s.Data)
		require.NoError(t, set.Check(root.CertPEM))
		require.NoError(t, certs.CheckIntermediate(set.CertChain, root.CertPEM, certs.IntermediateSpec{KeyAlgorithm: certs.ECDSAP256, Issuer: true}))
		return set.CertChain
	}
	first := map[string][]byte{"east": chain("east"), "west": chain("west")}
	require.Regexp(t, `east .* keep \d+\n`, w.must("rollout", "-f", file))
	require.Contains(t, w.must("ca", "show", "test"), "the root is kept by the cfssl server "+url)

	// A new intermediate for one; while the server is gone none, and the old one stays.
	require.Contains(t, w.must("rotate", "test", "--intermediates", "--cluster", "east", "--reason", "CHG-1"), "1 intermediate of 1 cluster renewed")
	second := chain("east")
	require.NotEqual(t, first["east"], second)
	require.Equal(t, first["west"], chain("west"))
	stop()
	out, code = w.try("rotate", "test", "--intermediates", "--cluster", "east", "--reason", "CHG-2")
	require.NotZero(t, code, out)
	require.Contains(t, out, strings.TrimPrefix(url, "https://"))
	require.Equal(t, second, chain("east"))

	w.must("cleanup", "-f", file) // it needs no issuer
	same()
}
