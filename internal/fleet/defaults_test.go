package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaults_SmallFile_GetsAll(t *testing.T) {
	f := parse(t, small)
	require.Empty(t, f.Spec.Istio.Version, "the preflight chooses one that every operator knows")
	require.Equal(t, "prod", f.Spec.Istio.MeshID)
	require.Equal(t, RSA4096, f.Spec.CA.KeyAlgorithm)
	require.Equal(t, "87600h0m0s", f.Spec.CA.RootLifetime.Std().String())
	require.Equal(t, DefaultTaskQueue, f.Spec.Clusters[2].TaskQueue)
	require.Equal(t, []string{"*.local"}, f.Spec.Gateways.DataPlaneHosts)
	require.Len(t, f.Links(), 6, "a mesh, where the file has no links")
}

func TestDefaults_SetTwice_AreTheSame(t *testing.T) {
	for _, text := range []string{"", "  links: {hub: {cluster: east}}\n", "  istio: {manage: false}\n", "  gateways: {eastWest: {manage: false}}\n"} {
		once, twice := parse(t, small+text), parse(t, small+text)
		twice.SetDefaults()
		require.Equal(t, once, twice, text)
	}
}

// A task queue is that of the nearest one: the cluster's, else the fleet's; the
// root's is that of the cluster which keeps it.
func TestDefaults_TaskQueues_FollowTheFleetAndTheCluster(t *testing.T) {
	f := parse(t, small+"  - {name: south, network: s, kubeconfig: {path: s}, taskQueue: inside}\n  taskQueue: ours\n  ca: {root: {cluster: south}}\n")
	require.Equal(t, "ours", f.Spec.Clusters[0].TaskQueue)
	require.Equal(t, "inside", f.Spec.Clusters[3].TaskQueue)
	require.Equal(t, "inside", f.Spec.CA.Root.TaskQueue)
	require.Equal(t, "ours", parse(t, small+"  taskQueue: ours\n").Spec.CA.Root.TaskQueue)
	require.Equal(t, "vault", parse(t, small+"  ca: {root: {cluster: east, taskQueue: vault}}\n").Spec.CA.Root.TaskQueue)
}

func TestDefaults_AServerName_IsInLowerCase(t *testing.T) {
	f := parse(t, small+"  - {name: south, network: s, kubeconfig: {path: s}, apiServer: {tlsServerName: 0123ABCD.gr7.eu-west-1.eks.amazonaws.com}}\n")
	require.Equal(t, "0123abcd.gr7.eu-west-1.eks.amazonaws.com", f.Spec.Clusters[3].APIServer.TLSServerName)
}

// Null is a field that the file leaves out.
func TestDefaults_Null_IsLeftOut(t *testing.T) {
	f := parse(t, small+"  rollout: {stepTimeout: ~, waves: null}\n  istio: {version: ~, values: ~}\n  links: ~\n  ca: ~\n")
	require.Equal(t, parse(t, small), f)
}
