package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/landbridge/landbridge/activities"
)

func deployed(path ...string) string {
	return filepath.Join(append([]string{"..", "..", "deploy"}, path...)...)
}

// A real API server accepts the kustomize base, and the worker in it has the promised
// properties.
func TestDeploy_TheBaseIsTaken_AndItsWorkerMayDoNothingMore(t *testing.T) {
	w := newWorld(t)
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), deployed("base"))
	require.NoError(t, err)
	// A dry run needs the namespace to exist.
	w.connect("east").createNamespace(t, "landbridge", nil)
	defer w.connect("east").deleteNamespace(t, "landbridge")
	kinds := []string{}
	for _, r := range built.Resources() {
		kinds = append(kinds, r.GetKind())
		data, err := r.AsYAML()
		require.NoError(t, err)
		w.dryRun(t, "east", data)
		if r.GetKind() != "Deployment" {
			continue
		}
		var d appsv1.Deployment
		m, err := r.Map()
		require.NoError(t, err)
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(m, &d))
		require.EqualValues(t, 2, *d.Spec.Replicas)
		pod := d.Spec.Template.Spec
		require.False(t, *pod.AutomountServiceAccountToken)
		require.True(t, *pod.SecurityContext.RunAsNonRoot)
		worker := pod.Containers[0]
		require.True(t, *worker.SecurityContext.ReadOnlyRootFilesystem)
		require.False(t, *worker.SecurityContext.AllowPrivilegeEscalation)
		require.NotNil(t, worker.LivenessProbe)
		require.NotNil(t, worker.ReadinessProbe)
		// The worker accepts its arguments: it gets as far as connecting to Temporal.
		args := slices.Clone(worker.Args)
		args[slices.Index(args, "/kubeconfigs")] = w.lab.Dir
		args[slices.Index(args, ":9464")] = "127.0.0.1:0"
		out, err := exec.Command(bin("landbridge-worker"), append(args, "--address", "127.0.0.1:1")...).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "no Temporal answers at 127.0.0.1:1")
	}
	require.Subset(t, kinds, []string{"Namespace", "ServiceAccount", "ConfigMap", "Deployment", "PodDisruptionBudget", "NetworkPolicy"})
}

// A worker has every metric that an alert or the dashboard asks for.
func TestDeploy_AlertsAndDashboard_AskForWhatThereIs(t *testing.T) {
	registry := prom.NewRegistry()
	activities.NewMetrics(registry)
	known := make(chan *prom.Desc, 100)
	registry.Describe(known)
	close(known)
	var names []string
	for d := range known {
		names = append(names, regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1])
	}
	for _, f := range []string{deployed("prometheus", "rules.yaml"), deployed("grafana", "landbridge.json"), filepath.Join("..", "..", "docs", "metrics.md")} {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		asked := regexp.MustCompile(`landbridge_[a-z_]+`).FindAllString(string(data), -1)
		require.NotEmpty(t, asked)
		for _, a := range asked {
			a = strings.TrimSuffix(strings.TrimSuffix(a, "_bucket"), "_count")
			require.Contains(t, names, a, f)
		}
		if strings.HasSuffix(f, ".json") {
			require.True(t, json.Valid(data))
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not here (Debian's package prometheus has it)")
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"check", "rules", dashboardAsRules(t)}, {"test", "rules", "rules_test.yaml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = deployed("prometheus")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// dashboardAsRules writes every expression of the dashboard as a rule, so that
// Prometheus' own tool reads it.
func dashboardAsRules(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(deployed("grafana", "landbridge.json"))
	require.NoError(t, err)
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	require.NoError(t, json.Unmarshal(data, &d))
	require.NotEmpty(t, d.Panels)
	var rules []map[string]string
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$fleet", ".*").Replace(target.Expr)
			rules = append(rules, map[string]string{"record": "panel", "expr": expr})
		}
	}
	for i := range rules { // it refuses two rules with one name and no labels
		rules[i]["record"] += string(rune('a' + i))
	}
	out, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	require.NoError(t, os.WriteFile(path, out, 0o600))
	return path
}

// systemd's own tool accepts the unit.
func TestDeploy_SystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	dir := t.TempDir()
	data, err := os.ReadFile(deployed("systemd", "landbridge-worker.service"))
	require.NoError(t, err)
	unit := strings.ReplaceAll(string(data), "/usr/local/bin/landbridge-worker", bin("landbridge-worker"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "landbridge-worker.service"), []byte(unit), 0o600))
	out, err := exec.Command(analyze, "verify", "--recursive-errors=no", filepath.Join(dir, "landbridge-worker.service")).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, strings.TrimSpace(string(out)))
}

// dryRun lets the API server of a cluster check an object as it would on apply.
func (w *world) dryRun(t *testing.T, cluster string, manifest []byte) {
	t.Helper()
	require.NoError(t, w.apply(cluster, manifest, metav1.DryRunAll))
}
