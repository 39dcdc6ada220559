package chart

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// world holds a fake cluster that real Helm works on, by real requests.
type world struct {
	*kubetest.Cluster
	t          *testing.T
	kubeconfig string
	server     *kubetest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c, dir := kubetest.New("east", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system"}}), t.TempDir()
	server := kubetest.Listen(t, c)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), server.Kubeconfig(), 0o600))
	return &world{c, t, dir, server}
}

// real connects to the cluster, as each activity does for itself.
func (east *world) real() *kube.Cluster {
	east.t.Helper()
	c, err := kube.Access{Dirs: []string{east.kubeconfig}}.Open(east.t.Context(), "east", fleet.Kubeconfig{Path: "k"})
	require.NoError(east.t, err)
	return c
}

// writer returns one for the link east.west of the fleet prod.
func (east *world) writer(run string) *kube.Writer {
	return &kube.Writer{Cluster: east.real(), Owner: kube.Owner{Fleet: "prod", Component: "egress-gateway", Link: "east.west", Run: run,
		Request: fleet.Request{Reason: "CHG-1"}}}
}

func (east *world) open(w *kube.Writer) *Releases {
	east.t.Helper()
	r, err := Open(east.t.Context(), w, "istio-system")
	require.NoError(east.t, err)
	return r
}

// ensure makes the release gateway in a run, and returns what that changed.
func (east *world) ensure(run string, c *Chart, port int) []fleet.Change {
	east.t.Helper()
	w := east.writer(run)
	require.NoError(east.t, east.open(w).Ensure(east.t.Context(), "gateway", c, values(port)))
	return w.Changes().All()
}

func values(port int) map[string]any { return map[string]any{"port": port} }

func (east *world) last() *release.Release {
	east.t.Helper()
	rel, err := east.open(east.writer("")).last("gateway")
	require.NoError(east.t, err)
	return rel
}

// leave makes the newest revision what a killed Helm leaves.
func (east *world) leave(status release.Status) {
	east.t.Helper()
	r, rel := east.open(east.writer("")), east.last()
	rel.SetStatus(status, "")
	require.NoError(east.t, r.cfg.Releases.Update(rel))
}

func (east *world) service() *corev1.Service {
	east.t.Helper()
	svc, err := east.Client.CoreV1().Services("istio-system").Get(east.t.Context(), "gateway", metav1.GetOptions{})
	require.NoError(east.t, err)
	return svc
}

// edit changes the Service as somebody with kubectl does.
func (east *world) edit(change func(*corev1.Service)) {
	east.t.Helper()
	svc := east.service()
	change(svc)
	_, err := east.Client.CoreV1().Services("istio-system").Update(east.t.Context(), svc, metav1.UpdateOptions{})
	require.NoError(east.t, err)
}

func setPort(port int32) func(*corev1.Service) {
	return func(svc *corev1.Service) { svc.Spec.Ports[0].Port = port }
}

// aChart loads a chart of a Service and, where it is asked for, a ConfigMap.
func aChart(t *testing.T, version string) *Chart {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: gateway\nversion: 1.0.0\n", "values.yaml": "port: 1\nextra: false\n",
		"templates/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}{{ with .Values.network }}, labels: {network: {{ . }}}{{ end }}}\nspec: {type: ClusterIP, {{ with .Values.clusterIP }}clusterIP: {{ . }}, {{ end }}ports: [{name: tls, port: {{ .Values.port }}}]}\n",
		"templates/extra.yaml":   "{{ if gt (int .Values.port) 500 }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: one}\n{{ end }}",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	c, err := Load(fleet.Chart{Directory: "."}, dir, version)
	require.NoError(t, err)
	return c
}

func change(action fleet.Action, kind, name string) fleet.Change {
	return fleet.Change{Action: action, Kind: kind, Namespace: "istio-system", Name: name}
}

func both(action fleet.Action) []fleet.Change {
	return []fleet.Change{change(action, "Helm release", "gateway"), change(action, "Service", "gateway")}
}
