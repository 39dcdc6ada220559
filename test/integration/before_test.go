package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"time"

	"github.com/landbridge/landbridge/certs"
)

// deleteNamespace removes a namespace and waits until it does not exist any more.
func (c connection) deleteNamespace(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, c.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}))
	require.Eventually(t, func() bool {
		_, err := c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		return err != nil
	}, patience, pause)
}

func (c connection) createNamespace(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	_, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
	require.NoError(t, err)
	// Kubernetes creates its platform objects a moment later.
	require.Eventually(t, func() bool {
		_, err := c.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		_, err2 := c.CoreV1().ConfigMaps(name).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err == nil && err2 == nil
	}, patience, pause)
}

func TestNamespaces_ThatWereThereBefore_AreAdoptedAndStay(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	east.createNamespace(t, "istio-system", map[string]string{"team": "mesh"})
	east.createNamespace(t, "istio-cni", nil)
	defer east.deleteNamespace(t, "istio-system")
	defer east.deleteNamespace(t, "istio-cni")
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	ns, err := east.CoreV1().Namespaces().Get(ctx, "istio-system", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "east-network", ns.Labels["topology.istio.io/network"])
	w.renders(t, file) // an adopted one is among the manifests too
	w.must("rollout", "-f", file)
	w.must("cleanup", "-f", file)
	same()
}

func TestNamespace_OfAnotherNetwork_IsRefusedAndLeftAlone(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	east.createNamespace(t, "istio-system", map[string]string{"topology.istio.io/network": "elsewhere"})
	defer east.deleteNamespace(t, "istio-system")
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "topology.istio.io/network=elsewhere")
	w.must("cleanup", "-f", file)
	same()
}

func TestNamespace_SomebodyPutSomethingIn_StaysAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	_, err := east.CoreV1().ConfigMaps("istio-system").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "of-a-person"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	out, code := w.try("cleanup", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "ConfigMap/of-a-person")
	require.NoError(t, east.CoreV1().ConfigMaps("istio-system").Delete(ctx, "of-a-person", metav1.DeleteOptions{}))
	w.must("cleanup", "-f", file)
	same()
}

func TestCACerts_Foreign_IsRefusedWithAReason(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Somebody's", Organization: "else", KeyAlgorithm: certs.ECDSAP256, Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	spec := certs.IntermediateSpec{Cluster: "east", Organization: "else", DNSName: "istiod.istio-system.svc", KeyAlgorithm: certs.ECDSAP256, Lifetime: 24 * time.Hour}
	key, csr, err := certs.NewRequest(spec)
	require.NoError(t, err)
	cert, err := root.Sign(csr, spec)
	require.NoError(t, err)
	east.createNamespace(t, "istio-system", nil)
	defer east.deleteNamespace(t, "istio-system")
	_, err = east.CoreV1().Secrets("istio-system").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "cacerts"},
		Data: certs.NewCACerts(root.CertPEM, cert, key).Data()}, metav1.CreateOptions{})
	require.NoError(t, err)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "is not Landbridge's")
	require.Contains(t, out, "not the fleet's root")
	w.must("cleanup", "-f", file)
	same()
}

func TestIstio_ThatWasThereBefore_IsAdoptedWhenItFits(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	east.createNamespace(t, "istio-cni", nil)
	defer east.deleteNamespace(t, "istio-cni")
	cni := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "sailoperator.io/v1", "kind": "IstioCNI",
		"metadata": map[string]any{"name": "default"}, "spec": map[string]any{"version": "v1.31.3", "namespace": "istio-cni"}}}
	_, err := east.dyn.Resource(cnis).Create(ctx, cni, metav1.CreateOptions{})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, east.dyn.Resource(cnis).Delete(ctx, "default", metav1.DeleteOptions{}))
		require.Eventually(t, func() bool {
			_, err := east.dyn.Resource(cnis).Get(ctx, "default", metav1.GetOptions{})
			return err != nil
		}, patience, pause)
	}()
	require.Eventually(t, func() bool {
		o, err := east.dyn.Resource(cnis).Get(ctx, "default", metav1.GetOptions{})
		state, _, _ := unstructured.NestedString(o.Object, "status", "state")
		return err == nil && state == "Healthy"
	}, patience, pause)
	time.Sleep(time.Second) // until its pods change no more
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	w.must("cleanup", "-f", file)
	same()

	// One with another spec is refused.
	out, code := w.try("rollout", "--force-version", "-f", w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {version: v1.30.2}\n"))
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "IstioCNI default existed before and differs from the fleet file in spec.version")
	w.must("cleanup", "-f", file)
	same()
}
