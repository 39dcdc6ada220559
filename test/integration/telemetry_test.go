package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
)

// spans collects OpenTelemetry's traces.
type spans struct {
	mu  sync.Mutex
	got strings.Builder
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got.Write(data)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (s *spans) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

// A worker has metrics and traces of a rollout and a cleanup, and an API server accepts
// every file that `render` writes of the same fleet.
func TestTelemetry_AndRender_OfARollout(t *testing.T) {
	w := stillWorld(t)
	collector := &spans{}
	otlp := httptest.NewServer(collector)
	defer otlp.Close()
	w.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + otlp.URL}
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	w.startWith("--kubeconfig-dir", w.lab.Dir, "--listen", listen)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)

	_, m := httpGet(t, "http://"+listen+"/metrics")
	for _, want := range []string{
		`landbridge_step_duration_seconds_count{outcome="done",step="EnsureIstio"} 2`,
		`landbridge_load_balancer_wait_seconds_count{cluster="east",fleet="test",outcome="done"} 1`,
		`landbridge_not_after_timestamp_seconds{cluster="west",fleet="test",of="intermediate"}`,
		`landbridge_not_after_timestamp_seconds{cluster="",fleet="test",of="root"}`,
		`landbridge_not_after_timestamp_seconds{cluster="west",fleet="test",of="kubeconfig"}`,
		`temporal_activity_execution_latency`} {
		require.Contains(t, m, want)
	}

	w.renders(t, file)
	secrets := w.labSecrets()
	require.Greater(t, len(secrets), 6)
	w.must("cleanup", "-f", file)
	same()
	_, m = httpGet(t, "http://"+listen+"/metrics")
	require.NotContains(t, m, `landbridge_not_after_timestamp_seconds{`, "what is gone does not end")
	w.stop() // it sends what is left
	traced := collector.String()
	for _, want := range []string{"RunWorkflow:RolloutFleet", "RunActivity:EnsureCACerts", "landbridge-standalone"} {
		require.Contains(t, traced, want)
	}
	for what, secret := range secrets {
		require.NotContains(t, traced, string(secret), what)
	}
}

func (w *world) renders(t *testing.T, file string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "manifests")
	require.Contains(t, w.must("render", "-f", file, "--output-dir", dir), "east")
	for _, cluster := range []string{"east", "west"} {
		var k struct{ Resources []string }
		data, err := os.ReadFile(filepath.Join(dir, cluster, "kustomization.yaml"))
		require.NoError(t, err)
		require.Contains(t, string(data), "Secret istio-system/cacerts")
		require.NoError(t, yaml.Unmarshal(data, &k))
		require.Contains(t, k.Resources, "namespace-istio-system.yaml")
		require.Contains(t, k.Resources, "istio-system-serviceentry-kube-apiserver-"+map[string]string{"east": "west", "west": "east"}[cluster]+"-egress-gateway.yaml")
		for _, name := range k.Resources {
			data, err := os.ReadFile(filepath.Join(dir, cluster, name))
			require.NoError(t, err)
			require.NotContains(t, string(data), fleet.Domain, name)
			obj := &unstructured.Unstructured{}
			require.NoError(t, yaml.Unmarshal(data, &obj.Object), name)
			require.NotEqual(t, "Secret", obj.GetKind())
			w.dryRun(t, cluster, data)
		}
	}
	// A second render works; it leaves a file of somebody else alone.
	w.must("render", "-f", file, "--output-dir", dir)
	theirs := filepath.Join(dir, "east", "kustomization.yaml")
	require.NoError(t, os.WriteFile(theirs, []byte("mine"), 0o644))
	out, code := w.try("render", "-f", file, "--output-dir", dir)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "was not written by render")
}
