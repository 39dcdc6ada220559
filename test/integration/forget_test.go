package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A member does not answer any more: the others are rolled out, forget it, and are whole
// again. When it answers after all, it is refused. Then a source is shut out, and a rollout
// lets it in again.
func TestForget_AMemberIsGoneForGood_TheOthersAreWholeAgain(t *testing.T) {
	w := stillWorld(t)
	dir := t.TempDir()
	configs := map[string][]byte{}
	for _, c := range clusters {
		data, err := os.ReadFile(w.lab.Kubeconfig(c))
		require.NoError(t, err)
		configs[c] = data
		require.NoError(t, os.WriteFile(filepath.Join(dir, c+".kubeconfig"), data, 0o600))
	}
	north := filepath.Join(dir, "north.kubeconfig")
	w.startWith("--kubeconfig-dir", dir)
	same := w.unchanged(clusters...)
	all, two := w.file(clusters), w.file([]string{"east", "west"})
	w.must("rollout", "-f", all)
	unreachable(t, north)

	out, code := w.try("rollout", "-f", all, "--reason", "CHG-8")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "cluster north, step preflight: it does not answer, tried for ")
	require.Contains(t, out, "link west -> north: left out, since one of its clusters failed")
	require.NotContains(t, out, "cluster east: failed")

	out = w.must("forget", "test", "--cluster", "north", "--reason", "CHG-9", "--yes")
	for _, want := range []string{"north is forgotten by east, west", "revoked: its tokens for east, west", "not revoked: the tokens of east, west for it",
		"link north -> east: ", "take north out of the fleet file"} {
		require.Contains(t, out, want)
	}
	require.Contains(t, w.must("status", "test"), "fleet test: forget done")
	for _, c := range []string{"east", "west"} {
		secrets, err := w.connect(c).CoreV1().Secrets("istio-system").List(ctx, metav1.ListOptions{})
		require.NoError(t, err)
		for _, s := range secrets.Items {
			require.NotContains(t, s.Name, "north", c)
		}
		_, err = w.connect(c).AppsV1().Deployments("istio-system").Get(ctx, "kube-apiserver-north-egress-gateway", metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), c)
	}
	w.must("rollout", "-f", two)
	require.Contains(t, w.must("plan", "--exit-code", "-f", two), "nothing to do")

	require.NoError(t, os.WriteFile(north, configs["north"], 0o600))
	out, code = w.try("forget", "-f", all, "--cluster", "north", "--reason", "again", "--yes")
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "cluster north: it answers, and can be cleaned up as one that is there")
	require.Contains(t, out, "nothing was changed")

	w.shutsOut(two, configs["west"])
	w.must("cleanup", "-f", all)
	same()
}

// shutsOut revokes a link, and requires that the API server accepts the token no more.
func (w *world) shutsOut(file string, kubeconfig []byte) {
	w.t.Helper()
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	require.NoError(w.t, err)
	secret := func() string {
		s, err := w.connect("west").CoreV1().Secrets("istio-system").Get(ctx, "landbridge-reader-east-1", metav1.GetOptions{})
		require.NoError(w.t, err)
		return string(s.Data["token"])
	}
	ask := func(token string) error {
		as := rest.AnonymousClientConfig(cfg)
		as.BearerToken = token
		client, err := discovery.NewDiscoveryClientForConfig(as)
		require.NoError(w.t, err)
		return client.RESTClient().Get().AbsPath("/version").Do(ctx).Error()
	}
	old := secret()
	require.NoError(w.t, ask(old))
	out := w.must("revoke", "test", "--link", "east.west", "--reason", "INC-1", "--yes")
	require.Contains(w.t, out, "refused by the API server")
	w.t.Log(out)
	require.True(w.t, apierrors.IsUnauthorized(ask(old)))
	require.NotContains(w.t, w.must("report", "test", "-o", "json"), old)

	out, code := w.try("plan", "-f", file, "--exit-code")
	require.Equal(w.t, 3, code, out)
	require.Contains(w.t, out, "landbridge-reader-east-1")
	w.must("rollout", "-f", file)
	require.NoError(w.t, ask(secret()))
	require.True(w.t, apierrors.IsUnauthorized(ask(old)), "the old token stays revoked")
}
