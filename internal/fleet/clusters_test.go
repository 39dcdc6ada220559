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

// A mesh that exists has the IDs and networks that somebody gave it.
func TestClusters_IDsAndNetworksAreLabelValues(t *testing.T) {
	f := parse(t, "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  clusters:\n"+
		"  - {name: mesh-a, clusterID: cn-acme-prod-europe-west1-mesh-a, network: Prod_Net, kubeconfig: {path: a}}\n  - {name: mesh-b, network: prod.net, kubeconfig: {path: b}}\n")
	require.Equal(t, "cn-acme-prod-europe-west1-mesh-a", f.Spec.Clusters[0].ID())
	require.Equal(t, "mesh-b", f.Spec.Clusters[1].ID())
	require.Equal(t, "Prod_Net", f.Part("mesh-b", Stale{}).Spec.Clusters[0].Network)
	require.Equal(t, "cn-acme-prod-europe-west1-mesh-a", f.Part("mesh-b", Stale{}).Spec.Clusters[0].ClusterID, "the inventory of a peer knows it")
}

func TestClusterName_IsShortAndTellsSourceFromTarget(t *testing.T) {
	for name, may := range map[string]bool{"west": true, "a": true, "": false, "Kubernetes": false, "a-to-b": false, "cn-acme-prod-europe-west1-mesh-a": false, "prod_net": false} {
		require.Equal(t, may, ClusterName(name), name)
	}
}
