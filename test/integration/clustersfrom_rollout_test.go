package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	cached "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/kinds"
)

// management is a lab's cluster in its role as the management cluster.
type management struct {
	t       testing.TB
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// management opens a cluster as management cluster.
func (w *world) management(cluster string) *management {
	w.t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", w.lab.Kubeconfig(cluster))
	require.NoError(w.t, err)
	client, err := kubernetes.NewForConfig(cfg)
	require.NoError(w.t, err)
	dyn, err := dynamic.NewForConfig(cfg)
	require.NoError(w.t, err)
	return &management{w.t, dyn, restmapper.NewDeferredDiscoveryRESTMapper(cached.NewMemCacheClient(client.Discovery()))}
}

// managedFrom opens a cluster as management cluster, with the kinds of every source.
func (w *world) managedFrom(cluster string) *management {
	w.t.Helper()
	m := w.management(cluster)
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "sources", "testdata", "crds", "*.yaml"))
	require.NoError(w.t, err)
	require.NotEmpty(w.t, files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(w.t, err)
		m.has("%s", data)
	}
	return m
}

// has creates an object, and its status beside it, and deletes it after the test.
func (m *management) has(text string, values ...any) {
	m.t.Helper()
	var o unstructured.Unstructured
	require.NoError(m.t, yaml.Unmarshal(fmt.Appendf(nil, text, values...), &o.Object))
	var mapping *meta.RESTMapping
	require.Eventually(m.t, func() bool { // a CRD is served a moment after it was made
		var err error
		mapping, err = m.mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
		m.mapper.Reset()
		return err == nil
	}, patience, pause/10, "%s is not served", o.GroupVersionKind())
	client := dynamic.ResourceInterface(m.dynamic.Resource(mapping.Resource))
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = m.dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace())
	}
	made, err := client.Create(ctx, &o, metav1.CreateOptions{})
	require.NoError(m.t, err)
	m.t.Cleanup(func() { removed(m.t, client, o.GetName()) })
	if status, ok := o.Object["status"]; ok {
		made.Object["status"] = status
		_, err = client.UpdateStatus(ctx, made, metav1.UpdateOptions{})
		if !apierrors.IsNotFound(err) { // a kind without that subresource has it already
			require.NoError(m.t, err)
		}
	}
}

// removed deletes an object and waits until it is gone: the next test of the lab looks at what is there.
func removed(t testing.TB, client dynamic.ResourceInterface, name string) {
	t.Helper()
	after := context.WithoutCancel(ctx)
	_ = client.Delete(after, name, metav1.DeleteOptions{})
	require.Eventually(t, func() bool {
		_, err := client.Get(after, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, pause/10, "%s is still there", name)
}

// token makes an account of a cluster that may do everything, and returns a token of it.
func (w *world) token(cluster string) string {
	w.t.Helper()
	out, err := w.connect(cluster).RESTClient().Post().AbsPath("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings").SetHeader("Content-Type", "application/yaml").
		Body([]byte("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: by-token}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: ServiceAccount, namespace: default, name: default}]}")).DoRaw(ctx)
	require.NoError(w.t, err, string(out))
	w.t.Cleanup(func() {
		_ = w.connect(cluster).RbacV1().ClusterRoleBindings().Delete(context.WithoutCancel(ctx), "by-token", metav1.DeleteOptions{})
	})
	data, err := w.connect(cluster).RESTClient().Post().AbsPath("/api/v1/namespaces/default/serviceaccounts/default/token").SetHeader("Content-Type", "application/json").Body([]byte(`{}`)).DoRaw(ctx)
	require.NoError(w.t, err)
	var answer struct{ Status struct{ Token string } }
	require.NoError(w.t, json.Unmarshal(data, &answer))
	require.NotEmpty(w.t, answer.Status.Token)
	return answer.Status.Token
}

func base64Of(text []byte) string { return base64.StdEncoding.EncodeToString(text) }

// Three clusters of a fleet are where Argo CD, the cluster inventory API and Open Cluster Management keep
// them, on a real API server; one credential comes from an exec plugin. A cluster that appears
// joins, one that disappears is shown and stays, and no file of the worker names any of them.
func TestClustersFrom_EverySource_IsRolledOutAndFollowed(t *testing.T) {
	w := newWorld(t)
	m := w.managedFrom("east")
	m.has("{apiVersion: v1, kind: Namespace, metadata: {name: inventory}}")
	m.has("{apiVersion: v1, kind: Namespace, metadata: {name: north}}")
	of := func(cluster string) *rest.Config {
		cfg, err := clientcmd.BuildConfigFromFlags("", w.lab.Kubeconfig(cluster))
		require.NoError(t, err)
		require.NoError(t, rest.LoadTLSFiles(cfg))
		return cfg
	}

	// east, by its client certificate, from Argo CD.
	east := of("east")
	config, err := json.Marshal(map[string]any{"tlsClientConfig": map[string]string{"caData": base64Of(east.CAData), "certData": base64Of(east.CertData), "keyData": base64Of(east.KeyData)}})
	require.NoError(t, err)
	m.has("{apiVersion: v1, kind: Secret, metadata: {namespace: inventory, name: cluster-1, labels: {argocd.argoproj.io/secret-type: cluster}}, data: {name: %s, server: %s, config: %s}}",
		base64Of([]byte("east")), base64Of([]byte(east.Host)), base64Of(config))

	// west, by an exec plugin, from its ClusterProfile.
	west, plugin := of("west"), filepath.Join(t.TempDir(), "credential")
	require.NoError(t, os.WriteFile(plugin, []byte("#!/bin/sh\n[ \"$1 $2\" = 'token west' ] || exit 1\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\""+w.token("west")+"\"}}'\n"), 0o700))
	providers := filepath.Join(t.TempDir(), "providers.json")
	require.NoError(t, os.WriteFile(providers, []byte(`{"providers": [{"name": "lab", "execConfig": {"apiVersion": "client.authentication.k8s.io/v1", "command": "`+plugin+`", "args": ["token"]}, "profileSourcedCLIArgsPolicy": "Append"}]}`), 0o600))
	profiled := func() {
		m.has("{apiVersion: multicluster.x-k8s.io/v1alpha1, kind: ClusterProfile, metadata: {namespace: inventory, name: west}, spec: {clusterManager: {name: lab}}, "+
			"status: {accessProviders: [{name: lab, cluster: {server: %q, certificate-authority-data: %s, extensions: [{name: clusterprofiles.multicluster.x-k8s.io/exec/additional-args, extension: [west]}]}}]}}", west.Host, base64Of(west.CAData))
	}
	profiled()

	w.stop()
	w.startWith("--management-kubeconfig", w.lab.Kubeconfig("east"), "--access-providers-file", providers)
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	require.NoError(t, os.WriteFile(file, []byte("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: test}\nspec:\n  ca: {keyAlgorithm: ECDSA-P256}\n  rollout: {skipProof: true, stepTimeout: 2m}\n"+
		"  clustersFrom:\n  - {source: argocd, namespace: inventory}\n  - {source: clusterprofile, namespace: inventory}\n  - {source: ocm, secret: landbridge}\n"), 0o600))
	require.Contains(t, w.must("plan", "-f", file), "ClusterProfile inventory/west")
	w.must("rollout", "-f", file)

	// north appears, with the token of a ManagedServiceAccount.
	north := of("north")
	m.has("{apiVersion: v1, kind: Secret, metadata: {namespace: north, name: landbridge}, data: {token: %s, ca.crt: %s}}", base64Of([]byte(w.token("north"))), base64Of(north.CAData))
	m.has("{apiVersion: cluster.open-cluster-management.io/v1, kind: ManagedCluster, metadata: {name: north}, spec: {hubAcceptsClient: true, managedClusterClientConfigs: [{url: %q}]}, "+
		`status: {conditions: [{type: ManagedClusterJoined, status: "True"}]}}`, north.Host)
	plan := w.must("plan", "-f", file)
	require.Contains(t, plan, "ManagedCluster north")
	w.must("rollout", "-f", file)
	require.Equal(t, 0, strings.Count(w.must("plan", "-f", file), "+ create"), "it is as the sources have it")

	// west disappears. It is shown, and stays until somebody asks for its removal.
	require.NoError(t, m.dynamic.Resource(kinds.ClusterProfiles[1].GroupVersionResource).Namespace("inventory").Delete(ctx, "west", metav1.DeleteOptions{}))
	w.try("rollout", "-f", file)
	require.Contains(t, w.must("plan", "-f", file), "no object that spec.clustersFrom selects names it any more, as ClusterProfile inventory/west did")
	_, err = w.connect("west").CoreV1().Namespaces().Get(ctx, "landbridge-system", metav1.GetOptions{})
	require.NoError(t, err, "it is not removed by itself")
	profiled() // how it is reached
	w.must("cleanup", "-f", file)
	for _, c := range clusters {
		_, err := w.connect(c).CoreV1().Namespaces().Get(ctx, "landbridge-system", metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), "%s: %v", c, err)
	}
}
