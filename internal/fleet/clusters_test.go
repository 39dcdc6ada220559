package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCluster_ByName(t *testing.T) {
	f := parse(t, small)
	c, ok := f.Cluster("west")
	require.True(t, ok)
	require.Equal(t, "w", c.Network)
	_, ok = f.Cluster("nowhere")
	require.False(t, ok)
	_, ok = f.Cluster("")
	require.False(t, ok)
}

func TestClusters_OneCluster_NeedsNoKubeconfig(t *testing.T) {
	parse(t, "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec: {clusters: [{name: east, network: e}]}\n")
}

// The kubeconfigs of a fleet may be one file with many contexts, or many files.
func TestClusters_SameFileOtherContext_IsAnotherCluster(t *testing.T) {
	const head = "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  clusters:\n"
	parse(t, head+"  - {name: a, network: a, kubeconfig: {path: k, context: a}}\n  - {name: b, network: b, kubeconfig: {path: k, context: b}}\n")
	_, err := Parse("fleet.yaml", []byte(head+"  - {name: a, network: a, kubeconfig: {path: k, context: a}}\n  - {name: b, network: b, kubeconfig: {path: k, context: a}}\n"))
	require.ErrorContains(t, err, "fleet.yaml:7:27: spec.clusters[1].kubeconfig: the same API server (kubeconfig and context) as spec.clusters[0]")
}
