package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/sources"
)

// A real API server keeps the way to two others in Secrets, as Argo CD and Cluster API do: what the
// sources list leads there, and by an exec plugin only where the worker was told.
func TestClustersFrom_RealAPIServers_SecretsLeadToTheClusters(t *testing.T) {
	w := newWorld(t)
	file := func(name string) string { return filepath.Join(w.lab.Dir, name+".kubeconfig") }
	cfg, err := clientcmd.BuildConfigFromFlags("", file("east"))
	require.NoError(t, err)
	hub, err := kubernetes.NewForConfig(cfg)
	require.NoError(t, err)
	_, err = hub.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "argocd"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		removed(t, dynamic.NewForConfigOrDie(cfg).Resource(kinds.Namespaces.GroupVersionResource), "argocd")
	})

	west, err := os.ReadFile(file("west"))
	require.NoError(t, err)
	_, err = hub.CoreV1().Secrets("argocd").Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "west-kubeconfig"}, Data: map[string][]byte{"value": west}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = hub.CoreV1().Secrets("argocd").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "cluster-west", Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster", "env": "lab"}},
		StringData: map[string]string{"name": "west", "server": "https://192.0.2.1", "config": `{"execProviderConfig":{"command":"aws","args":["eks","get-token"]}}`}}, metav1.CreateOptions{})
	require.NoError(t, err)

	access := kube.Access{Management: kube.Management{Kubeconfig: file("east")}}
	c, err := access.Open(t.Context(), "west", fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "argocd", Name: "west-kubeconfig", Format: fleet.FormatKubeconfig, Key: "value"}})
	require.NoError(t, err)
	_, err = c.Version(t.Context())
	require.NoError(t, err)

	management, err := access.OpenManagement()
	require.NoError(t, err)
	found, err := sources.List(t.Context(), management.Dynamic, []fleet.ClusterSource{{Source: fleet.SourceArgoCD, Namespace: "argocd", Selector: "env=lab", NetworkLabel: fleet.LabelNetwork}})
	require.NoError(t, err)
	require.Len(t, found.Clusters, 1)
	_, err = access.Open(t.Context(), "west", found.Clusters[0].Kubeconfig)
	require.ErrorContains(t, err, `runs the exec plugin "aws"`)
	_, err = sources.List(t.Context(), management.Dynamic, []fleet.ClusterSource{{Source: fleet.SourceCAPI, Namespace: "argocd"}})
	require.ErrorContains(t, err, "the management cluster has no kind Cluster.cluster.x-k8s.io")
}
