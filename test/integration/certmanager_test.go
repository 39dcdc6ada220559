package integration

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/test/lab"
)

// certManager runs the real cert-manager on a cluster, with a ClusterIssuer whose CA is the
// root, until the test ends.
func (w *world) certManager(cluster string, root *certs.Root) {
	t := w.t
	program, crds, err := lab.CertManager(ctx, t.Logf)
	if errors.Is(err, lab.ErrNoModule) {
		t.Skipf("cert-manager's controllers are built from its Go module, and %v", err)
	}
	require.NoError(t, err)
	data := base64.StdEncoding.EncodeToString
	manifests := append(crds,
		[]byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: cert-manager}\n"),
		fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\nmetadata: {name: fleet-ca, namespace: cert-manager}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n", data(root.CertPEM), data(root.KeyPEM)),
		[]byte("apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: fleet-ca}\nspec: {ca: {secretName: fleet-ca}}\n"))
	for _, m := range manifests {
		// An API server knows a kind a moment after its CRD is there.
		require.Eventually(t, func() bool { return w.apply(cluster, m) == nil }, patience, pause, string(m))
		t.Cleanup(func() {
			if err := w.remove(cluster, m); err != nil && !apierrors.IsNotFound(err) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		require.NoError(t, w.remove(cluster, manifests[len(crds)]))
		require.Eventually(t, func() bool {
			_, err := w.connect(cluster).CoreV1().Namespaces().Get(ctx, "cert-manager", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		}, patience, pause)
	})

	var out bytes.Buffer
	cmd := exec.Command(program, "--kubeconfig", filepath.Join(w.lab.Dir, "pki", cluster, "lab.kubeconfig"))
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("cert-manager: %s", out.String())
		}
	})
}

// A fleet without a root of its own: east's cert-manager signs for both clusters.
func TestIssuer_CertManagerOfOneCluster_SignsForAll(t *testing.T) {
	if !*wholeWay {
		t.Skip("the build of cert-manager's controllers takes minutes: make e2e does it")
	}
	w := newWorld(t)
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Company Root", Organization: "my-company.org", KeyAlgorithm: certs.ECDSAP256, Lifetime: 3650 * 24 * time.Hour})
	require.NoError(t, err)
	w.certManager("east", root)
	same := w.unchanged("east", "west")
	issuer := func(name string) string {
		return fmt.Sprintf("ca: {keyAlgorithm: ECDSA-P256, issuer: {certManager: {cluster: east, name: %s}, root: %q}}", name, root.CertPEM)
	}
	out, code := w.try("rollout", "-f", w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", issuer("absent")))
	require.NotZero(t, code, out)
	require.Contains(t, out, "cluster east has no ClusterIssuer absent; name one that is there")
	same()

	file := w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", issuer("fleet-ca"))
	require.Contains(t, w.must("rollout", "-f", file), "2 clusters and 2 links rolled out")
	for _, name := range []string{"east", "west"} {
		s, err := w.connect(name).CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
		require.NoError(t, err)
		set := certs.CACertsFrom(s.Data)
		require.NoError(t, set.Check(root.CertPEM))
		require.NoError(t, certs.CheckIntermediate(set.CertChain, root.CertPEM, certs.IntermediateSpec{KeyAlgorithm: certs.ECDSAP256, Issuer: true}))
	}
	requests, err := w.connect("east").dyn.Resource(kinds.CertificateRequests.GroupVersionResource).List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, requests.Items)
	require.Contains(t, w.must("ca", "show", "-f", file), "the root is kept by cert-manager's ClusterIssuer fleet-ca in cluster east")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("cleanup", "-f", file)
	same()
}
