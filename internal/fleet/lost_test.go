package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKnown_FleetWhoseFileIsLost_HasItsNameAndClusters(t *testing.T) {
	f, err := Known("prod", "", []Cluster{{Name: "east", Kubeconfig: Kubeconfig{Path: "e"}}, {Name: "west", Kubeconfig: Kubeconfig{Path: "w"}}})
	require.NoError(t, err)
	require.NoError(t, f.Validate())
	require.Equal(t, DefaultTaskQueue, f.Spec.TaskQueue)
	_, err = Known("Prod", "", []Cluster{{Name: "east"}})
	require.ErrorContains(t, err, `FLEET and --cluster: metadata.name: "Prod" is not a DNS label`)
}

func TestSetFrom_AnInventory_HasTheSettingsButNotTheClusters(t *testing.T) {
	applied := parse(t, small+"  istio: {namespace: mesh}\n  gateways: {apiPort: 17443}\n  rollout: {maxParallel: 3}\n")
	f, err := Known("prod", "ours", []Cluster{{Name: "east", Kubeconfig: Kubeconfig{Path: "lost"}}})
	require.NoError(t, err)
	f.SetFrom(applied.Part("east", Stale{}))
	require.Equal(t, "mesh", f.Spec.Istio.Namespace)
	require.Equal(t, 17443, f.Spec.Gateways.APIPort)
	require.Equal(t, 3, f.Spec.Rollout.MaxParallel)
	require.Len(t, f.Spec.Clusters, 1)
	require.Equal(t, "lost", f.Spec.Clusters[0].Kubeconfig.Path)
	require.Equal(t, []string{"east.north", "east.west", "north.east", "west.east"}, ids(f.Links()), "a cleanup removes these")
}
