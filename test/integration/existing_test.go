package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/certs"
)

// A mesh as people have it: Istio under a revision of its own, a CA plugged in, and an
// east-west gateway with other names than Landbridge's.
const (
	theirIstio = `apiVersion: sailoperator.io/v1
kind: Istio
metadata: {name: stable}
spec:
  version: v1.31.3
  namespace: istio-system
  values:
    revision: stable
    meshConfig: {trustDomain: corp.example}
    global: {meshID: corp, network: NAME-net, multiCluster: {clusterName: NAME}}
`
	theirGateway = `apiVersion: v1
kind: ServiceAccount
metadata: {name: crossing, namespace: istio-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: crossing, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: eastwestgateway}}
  template:
    metadata:
      labels: {istio: eastwestgateway, app: crossing, istio.io/rev: stable, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: crossing
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: v1
kind: Service
metadata: {name: crossing, namespace: istio-system}
spec:
  type: LoadBalancer
  selector: {istio: eastwestgateway}
  ports: [{name: status-port, port: 15021}, {name: tls, port: 15443}]
`
)

// meshes installs such a mesh on the clusters by hand, and returns a function that
// removes it.
func (w *world) meshes(t *testing.T, names ...string) (remove func()) {
	t.Helper()
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "corp", Organization: "corp", KeyAlgorithm: "ECDSA-P256", Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	for _, name := range names {
		c := w.connect(name)
		c.createNamespace(t, "istio-system", map[string]string{"topology.istio.io/network": name + "-net"})
		spec := certs.IntermediateSpec{Cluster: name, Organization: "corp", DNSName: "istiod-stable.istio-system.svc", KeyAlgorithm: "ECDSA-P256", Lifetime: 12 * time.Hour}
		key, csr, err := certs.NewRequest(spec)
		require.NoError(t, err)
		cert, err := root.Sign(csr, spec)
		require.NoError(t, err)
		_, err = c.CoreV1().Secrets("istio-system").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "cacerts"},
			Data: certs.NewCACerts(root.CertPEM, cert, key).Data()}, metav1.CreateOptions{})
		require.NoError(t, err)
		require.NoError(t, w.apply(name, []byte(strings.ReplaceAll(theirIstio, "NAME", name))))
	}
	for _, name := range names {
		deployments := w.connect(name).AppsV1().Deployments("istio-system")
		ready := func(what string) {
			require.Eventually(t, func() bool {
				d, err := deployments.Get(ctx, what, metav1.GetOptions{})
				return err == nil && d.Status.ReadyReplicas > 0
			}, patience, pause/2, "%s of %s", what, name)
		}
		ready("istiod-stable") // it injects the gateway into the pods of the next Deployment
		for _, doc := range strings.Split(theirGateway, "---\n") {
			require.NoError(t, w.apply(name, []byte(doc)))
		}
		ready("crossing")
		// Sail counts a revision as in use a moment after the first pod has its proxy.
		require.Eventually(t, func() bool {
			istio, err := w.connect(name).dyn.Resource(istios).Get(ctx, "stable", metav1.GetOptions{})
			if err != nil {
				return false
			}
			inUse, _, _ := unstructured.NestedInt64(istio.Object, "status", "revisions", "inUse")
			return inUse == 1
		}, patience, pause/2, "the revision of %s is in use", name)
		require.Eventually(t, func() bool {
			svc, err := w.connect(name).CoreV1().Services("istio-system").Get(ctx, "crossing", metav1.GetOptions{})
			return err == nil && len(svc.Status.LoadBalancer.Ingress) > 0
		}, patience, pause/2, "the address of %s", name)
	}
	remove = func() {
		for _, name := range names {
			c := w.connect(name)
			w.removeIstio(t, name, "stable")
			c.deleteNamespace(t, "istio-system")
			for _, ns := range []string{"default", "kube-system"} { // istiod leaves these behind
				require.NoError(t, c.CoreV1().ConfigMaps(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "istio.io/config=true"}))
			}
		}
	}
	t.Cleanup(func() {
		if t.Failed() { // the next test gets these clusters
			remove()
		}
	})
	return remove
}

// removeIstio deletes an Istio resource, and waits until Sail has uninstalled it.
func (w *world) removeIstio(t *testing.T, cluster, istio string) {
	t.Helper()
	c := w.connect(cluster)
	wait := metav1.DeletePropagationForeground
	require.NoError(t, c.dyn.Resource(istios).Delete(ctx, istio, metav1.DeleteOptions{PropagationPolicy: &wait}))
	require.Eventually(t, func() bool {
		_, err := c.dyn.Resource(istios).Get(ctx, istio, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, pause/2)
}

func TestExistingMesh_IsUsedAsItIs_AndLeftAsItWas(t *testing.T) {
	w := stillWorld(t)
	names := []string{"east", "west"}
	// The worker has the rights that `landbridge rbac` prints, and no more.
	dir := w.asTheRoleSays(t, []string{"--existing-istio", "--revision", "stable"}, names...)
	all := w.merged(t, func(name string) string { return filepath.Join(dir, name+".kubeconfig") }, names...)
	w.startWith("--kubeconfig-dir", filepath.Dir(all))
	clean := w.unchanged(names...)
	remove := w.meshes(t, names...)

	// A file that would install another Istio gets an error that names the existing one,
	// and the gateway with the same name has not changed.
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	w.must("init", "--existing", "--kubeconfig", all, "-f", file, "--name", "test")
	w.lastFile = file
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(data)
	for _, want := range []string{"istio: {manage: false, revision: stable, trustDomain: corp.example}", "ca: {manage: false}",
		`eastWest: {manage: false, service: {name: crossing}, labels: {istio: "eastwestgateway"}, serviceAccount: crossing}`, "network: east-net"} {
		require.Contains(t, text, want)
	}
	same := w.unchanged(names...)
	for wrong, proposal := range map[[2]string]string{
		{"revision: stable", "revision: other"}:                  "set spec.istio.revision: stable",
		{"trustDomain: corp.example", "trustDomain: other"}:      "set spec.istio.trustDomain: corp.example",
		{"network: east-net", "network: elsewhere"}:              "set network: east-net",
		{"serviceAccount: crossing", "serviceAccount: somebody"}: "set spec.gateways.eastWest.serviceAccount: crossing",
		{"service: {name: crossing}", "service: {name: other}"}:  "set spec.gateways.eastWest: {manage: false, service: {name: crossing}",
	} {
		other := filepath.Join(t.TempDir(), "fleet.yaml")
		require.NoError(t, os.WriteFile(other, []byte(strings.Replace(text, wrong[0], wrong[1], 1)), 0o600))
		out, code := w.try("rollout", "-f", other)
		require.Equal(t, 2, code, out)
		require.Contains(t, out, proposal)
	}
	w.refusesOtherRoots(t, file)
	w.refusesToOpenWhatOthersShut(t, file)
	same()

	// Nodes that run no containers allow no proof.
	require.NoError(t, os.WriteFile(file, []byte(text+"  rollout: {skipProof: true, stepTimeout: 2m}\n"), 0o600))
	w.must("rollout", "-f", file)
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	for _, name := range names {
		c := w.connect(name)
		svc, err := c.CoreV1().Services("istio-system").Get(ctx, "crossing", metav1.GetOptions{})
		require.NoError(t, err)
		require.Len(t, svc.Spec.Ports, 3)
		require.EqualValues(t, 16443, svc.Spec.Ports[2].Port)
		_, err = c.CoreV1().Services("istio-system").Get(ctx, "istio-eastwestgateway", metav1.GetOptions{})
		require.Error(t, err, "there is no second gateway")
		deny, err := c.dyn.Resource(authorizationPolicies).Namespace("istio-system").Get(ctx, "east-west-deny", metav1.GetOptions{})
		require.NoError(t, err)
		require.Contains(t, string(mustJSON(t, deny.Object["spec"])), `"notPorts":["16443"]`)
	}
	w.requireRemoteSecret("east", "west")
	entry, err := w.connect("east").dyn.Resource(serviceEntries).Namespace("istio-system").Get(ctx, "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Contains(t, string(mustJSON(t, entry.Object["spec"])), `"spiffe://corp.example/ns/istio-system/sa/crossing"`)

	w.must("cleanup", "-f", file)
	same()
	remove()
	clean()
}

// refusesOtherRoots requires that meshes which do not share a root are refused, since
// they do not trust each other.
func (w *world) refusesOtherRoots(t *testing.T, file string) {
	t.Helper()
	other, err := certs.NewRoot(certs.RootSpec{CommonName: "other", Organization: "other", KeyAlgorithm: "ECDSA-P256", Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	secrets := w.connect("west").CoreV1().Secrets("istio-system")
	live, err := secrets.Get(ctx, "cacerts", metav1.GetOptions{})
	require.NoError(t, err)
	before := live.Data["root-cert.pem"]
	live.Data["root-cert.pem"] = other.CertPEM
	live, err = secrets.Update(ctx, live, metav1.UpdateOptions{})
	require.NoError(t, err)
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "cluster west: its mesh trusts another root")
	live.Data["root-cert.pem"] = before
	_, err = secrets.Update(ctx, live, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// refusesToOpenWhatOthersShut requires that a gateway with an existing policy which allows
// something is refused, since one more policy would allow more.
func (w *world) refusesToOpenWhatOthersShut(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, w.apply("east", []byte("{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: only-data, namespace: istio-system}, "+
		"spec: {selector: {matchLabels: {istio: eastwestgateway}}, rules: [{to: [{operation: {ports: ['15443']}}]}]}}")))
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "has AuthorizationPolicies of its own (only-data)")
	require.NoError(t, w.connect("east").dyn.Resource(authorizationPolicies).Namespace("istio-system").Delete(ctx, "only-data", metav1.DeleteOptions{}))
}

// An istiod that Sail did not install gets no other one beside it.
func TestExistingMesh_ThatTheFileDoesNotKnow_StopsTheRollout(t *testing.T) {
	w := newWorld(t)
	clean := w.unchanged("east")
	w.connect("east").createNamespace(t, "istio-system", nil)
	require.NoError(t, w.apply("east", []byte("{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod-1-29, namespace: istio-system, labels: {app: istiod, istio.io/rev: 1-29}}, "+
		"spec: {replicas: 0, selector: {matchLabels: {app: istiod}}, template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: pilot}]}}}}")))
	same := w.unchanged("east")
	out, code := w.try("rollout", "-f", w.file([]string{"east"}))
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "it runs an Istio already (Deployment istio-system/istiod-1-29, revision 1-29)")
	require.Contains(t, out, "set spec.istio: {manage: false, revision: 1-29}")
	same()
	w.connect("east").deleteNamespace(t, "istio-system")
	clean()
}

// existingMesh rolls links out on existing meshes, through their own gateways, and proves
// them with traffic.
func (r *real) existingMesh(t *testing.T) {
	names := []string{"east", "west"}
	all := r.merged(t, r.lab.Kubeconfig, names...)
	r.stop()
	r.startWith("--kubeconfig-dir", filepath.Dir(all))
	clean := r.unchanged(names...)
	remove := r.meshes(t, names...)
	same := r.unchanged(names...)
	r.fleet = filepath.Join(t.TempDir(), "fleet.yaml")
	r.must("init", "--existing", "--kubeconfig", all, "-f", r.fleet, "--name", "test")
	r.lastFile = r.fleet
	r.rollout()
	r.allProven()
	r.must("cleanup", "-f", r.fleet)
	same()
	remove()
	clean()
}

// merged writes one kubeconfig with a context per cluster.
func (w *world) merged(t *testing.T, of func(name string) string, names ...string) string {
	t.Helper()
	all := clientcmdapi.NewConfig()
	for _, name := range names {
		cfg, err := clientcmd.LoadFromFile(of(name))
		require.NoError(t, err)
		at := cfg.Contexts[cfg.CurrentContext]
		all.Clusters[name], all.AuthInfos[name] = cfg.Clusters[at.Cluster], cfg.AuthInfos[at.AuthInfo]
		all.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	path := filepath.Join(t.TempDir(), "all.kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*all, path))
	return path
}
