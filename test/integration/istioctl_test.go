package integration

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/stretchr/testify/require"
)

// istioctlAgrees runs Istio's own tool where the cluster's names resolve, and requires that
// it finds every link synced.
func (r *real) istioctlAgrees() {
	explained, err := os.ReadFile(filepath.Join("..", "..", "docs", "troubleshooting.md"))
	require.NoError(r.t, err)
	for _, c := range []struct{ cluster, remote string }{{"east", "west"}, {"west", "east"}, {"north", "west"}} {
		kubeconfig := filepath.Join(r.lab.Dir, "pki", c.cluster, "inside.kubeconfig")
		out, err := r.inNode(c.cluster, "istioctl", "--kubeconfig", kubeconfig, "remote-clusters")
		require.NoError(r.t, err, out)
		require.Regexp(r.t, c.remote+` +istio-system/istio-remote-secret-`+c.remote+` +synced`, out)
		out, err = r.inNode(c.cluster, "istioctl", "--kubeconfig", kubeconfig, "proxy-status")
		require.NoError(r.t, err, out)
		require.Contains(r.t, out, "kube-apiserver-"+c.remote+"-egress-gateway")
		require.Contains(r.t, out, "istio-eastwestgateway")
		out, err = r.inNode(c.cluster, "istioctl", "--kubeconfig", kubeconfig, "analyze", "-n", "istio-system", "--failure-threshold", "Error")
		r.t.Logf("istioctl analyze on %s: %s", c.cluster, out)
		require.NoError(r.t, err, out)
		require.NotContains(r.t, out, "Error [")
		for _, warning := range regexp.MustCompile(`(IST\d{4})|'([A-Z_]+)' is deprecated`).FindAllStringSubmatch(out, -1) {
			require.Contains(r.t, string(explained), "`"+warning[1]+warning[2]+"`", "docs/troubleshooting.md explains each warning")
		}
	}
}
