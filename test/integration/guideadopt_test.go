package integration

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/differences"
)

// guideIsAdopted brings the guide's mesh under Landbridge, and requires that a cleanup leaves
// what the person made. all names the kubeconfig of its clusters.
func (w *world) guideIsAdopted(t *testing.T, all string, guide map[string]any, names ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	w.must("init", "--existing", "--kubeconfig", all, "-f", file, "--name", "test")
	w.lastFile = file
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(data) + "  rollout: {skipProof: true, stepTimeout: 2m}\n" // nodes that run no containers allow no proof
	for _, want := range []string{"adopt: true", "istio: {manage: false, revision: default, trustDomain: cluster.local}", "ca: {manage: false}",
		`gateways: {dataPlaneHosts: ["httpbin.default.svc.cluster.local"]}`, "has not the key of their root"} {
		require.Contains(t, text, want)
	}

	// Who does not say that it is to be adopted, keeps it.
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(text, "adopt: true", "adopt: false", 1)), 0o600))
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "Secret istio-system/istio-remote-secret-west, which Landbridge did not make; set spec.adopt: true")

	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	plan := w.must("plan", "-f", file)
	for _, want := range []string{"adopt   Helm release istio-system/istio-eastwestgateway", "adopt   Helm release istio-system/kube-apiserver-west-egress-gateway",
		"adopt   Gateway istio-system/east-west", "adopt   ServiceEntry istio-system/kube-apiserver-west-egress-gateway", "adopt   Secret istio-system/istio-remote-secret-west",
		"values.replicaCount", "create  Secret istio-system/istio-remote-secret-east"} {
		require.Contains(t, plan, want)
	}
	require.Empty(t, unlike(guide, w.readable(t, names...)), "a plan changes nothing")

	w.must("rollout", "-f", file)
	w.requireRemoteSecret("east", "west")
	w.requireRemoteSecret("west", "east")
	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")

	require.Regexp(t, `Helm release +istio-system +istio-eastwestgateway +existed before; is again what it was`, w.must("cleanup", "-f", file, "--dry-run"))
	w.must("cleanup", "-f", file)
	require.Empty(t, unlike(guide, w.readable(t, names...)), "a cleanup leaves what the person made")
}

// unlike lists the fields in which clusters are not what they were. How many pods a gateway
// has is left to the chart's autoscaler, which counts no load here.
func unlike(was, is map[string]any) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(union(was, is))) {
		found := differences.Between(was[key], is[key])
		delete(found, "spec.replicas")
		for _, field := range slices.Sorted(maps.Keys(found)) {
			out = append(out, key+" | "+field+": "+found[field])
		}
	}
	return out
}

// adoptsTheGuide brings the guide's mesh under Landbridge and gives it back, under requests
// through the tunnel, of which few fail (docs/existing-meshes.md).
func (r *real) adoptsTheGuide(t *testing.T) {
	names := []string{"east", "west"}
	all := r.merged(t, r.lab.Kubeconfig, names...)
	r.stop()
	r.startWith("--kubeconfig-dir", filepath.Dir(all))
	clean := r.unchanged(names...)
	r.behave("--cloud-address", "hostname")
	undo := r.followGuide(t, names...)
	requests := r.pace("east", "west")
	r.fleet = filepath.Join(t.TempDir(), "fleet.yaml")
	r.must("init", "--existing", "--kubeconfig", all, "-f", r.fleet, "--name", "test")
	r.lastFile = r.fleet
	r.rollout()
	r.allProven()
	r.must("cleanup", "-f", r.fleet)
	r.t.Logf("west is seen after %s", r.sees("east", "west", "given-back"))
	// The gateway takes the new server name a moment before the remote secret has it, and back.
	r.fewFailed(requests(), 8)
	r.behave()
	undo()
	clean()
}
