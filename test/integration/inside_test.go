package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// inside is where the worker runs: in pods of east, in the namespace of deploy/base.
const inside = "landbridge"

// theImage is where a person would have pushed the image.
const theImage = "registry.example.com/landbridge-worker"

// fromInside runs the worker as people deploy it: by the kustomize base, which rolls a fleet
// out, and then by the Helm chart, which finds it as it should be and cleans it up. The pods
// have the rights that `landbridge rbac` prints, and nobody else serves the task queue.
func (r *real) fromInside(t *testing.T, image string) {
	names := []string{"east", "west"}
	require.NoError(t, r.lab.Load(image, "landbridge-worker"))
	r.stop()
	r.startWith("--kubeconfig-dir", t.TempDir(), "--task-queue", "nobodys")
	began := time.Now()
	r.temporalInside(t)
	kubeconfigs := r.kubeconfigsInside(t, r.asTheRoleSays(t, nil, names...), names...)
	file := r.file(names, "ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: ECDSA-P256, root: {cluster: east}}",
		"links: mesh", "links: [{from: east, to: west}]") // who reads east would read the root

	base := r.deployBase(t, kubeconfigs)
	t.Logf("two pods of deploy/base are ready after %.1f s", time.Since(began).Seconds())
	r.must("rollout", "-f", file)
	t.Logf("the fleet is rolled out and proven after %.1f s", time.Since(began).Seconds())
	base()

	remove := r.installChart(t)
	t.Logf("two pods of the chart are ready after %.1f s", time.Since(began).Seconds())
	require.Contains(t, r.must("plan", "-f", file), "nothing to do")
	r.must("cleanup", "-f", file)
	remove()
	t.Logf("the fleet is cleaned up after %.1f s", time.Since(began).Seconds())
	for _, ns := range []string{inside, "temporal"} {
		r.connect("east").deleteNamespace(t, ns)
	}
}

// temporalInside makes Temporal, which runs outside, reachable for east's pods at the
// address that the base and the chart have by default.
func (r *real) temporalInside(t *testing.T) {
	t.Helper()
	at := r.lend(t, 7233, r.port)
	east := r.connect("east")
	east.createNamespace(t, "temporal", nil)
	_, err := east.CoreV1().Services("temporal").Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "temporal-frontend"},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 7233}}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	port := int32(at.Port)
	_, err = east.DiscoveryV1().EndpointSlices("temporal").Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "temporal-frontend", Labels: map[string]string{discoveryv1.LabelServiceName: "temporal-frontend"}},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{at.IP.String()}}},
		Ports: []discoveryv1.EndpointPort{{Port: &port}}}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// lend makes a port of this machine's loopback reachable for east's pods.
func (r *real) lend(t *testing.T, port, to int) *net.TCPAddr {
	t.Helper()
	l, err := r.lab.Lend("east", port, fmt.Sprintf("127.0.0.1:%d", to))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr)
}

// kubeconfigsInside returns kubeconfigs as pods of east need them: east's own API server by
// its Service, and west's by a private network, as the lab has none.
func (r *real) kubeconfigsInside(t *testing.T, dir string, names ...string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, c := range r.lab.Clusters[:len(names)] {
		cfg, err := clientcmd.LoadFromFile(filepath.Join(dir, c.Name+".kubeconfig"))
		require.NoError(t, err)
		for _, cluster := range cfg.Clusters {
			if cluster.Server = "https://kubernetes.default.svc"; c.Name != "east" {
				cluster.Server, cluster.TLSServerName = "https://"+r.lend(t, 6443, c.Port).String(), c.ServerName()
			}
		}
		require.NoError(t, clientcmdapi.FlattenConfig(cfg))
		out[c.Name+".kubeconfig"], err = clientcmd.Write(*cfg)
		require.NoError(t, err)
	}
	return out
}

// deployBase applies the kustomize base with the image that was loaded, waits for its pods,
// and returns what removes all but the namespace and its Secret.
func (r *real) deployBase(t *testing.T, kubeconfigs map[string][]byte) (remove func()) {
	t.Helper()
	overlay := t.TempDir()
	base, err := filepath.Abs(deployed("base"))
	require.NoError(t, err)
	base, err = filepath.Rel(overlay, base)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(overlay, "kustomization.yaml"),
		fmt.Appendf(nil, "resources: [%s]\nimages: [{name: landbridge-worker, newName: %s, newTag: test}]\n", base, theImage), 0o600))
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	require.NoError(t, err)
	var manifests [][]byte
	for _, o := range built.Resources() {
		data, err := o.AsYAML()
		require.NoError(t, err)
		require.NoError(t, r.apply("east", data))
		if o.GetKind() != "Namespace" {
			manifests = append(manifests, data)
		}
	}
	_, err = r.connect("east").CoreV1().Secrets(inside).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "landbridge-kubeconfigs"}, Data: kubeconfigs}, metav1.CreateOptions{})
	require.NoError(t, err)
	r.workersReady()
	return func() {
		for _, m := range manifests {
			require.NoError(t, r.remove("east", m))
		}
	}
}

// workersReady waits until Kubernetes calls both pods ready: they reach Temporal.
func (r *real) workersReady() {
	r.t.Helper()
	r.eventually("the worker's pods are ready", func() error {
		d, err := r.connect("east").AppsV1().Deployments(inside).Get(ctx, "landbridge-worker", metav1.GetOptions{})
		if err == nil && (d.Status.ReadyReplicas != 2 || d.Status.Replicas != 2) {
			err = fmt.Errorf("%+v", d.Status)
		}
		return err
	})
}

// installChart installs the Helm chart with the image that was loaded, waits for its pods,
// and returns what uninstalls it.
func (r *real) installChart(t *testing.T) (remove func()) {
	t.Helper()
	chart, err := loader.LoadDir(deployed("chart"))
	require.NoError(t, err)
	cfg := r.connect("east").helmIn(t, inside)
	install := action.NewInstall(cfg)
	install.ReleaseName, install.Namespace = "landbridge-worker", inside
	rel, err := install.Run(chart, map[string]any{"image": map[string]any{"repository": theImage, "tag": "test"}})
	require.NoError(t, err)
	t.Log(rel.Info.Notes)
	r.workersReady()
	return func() {
		_, err := action.NewUninstall(cfg).Run("landbridge-worker")
		require.NoError(t, err)
	}
}
