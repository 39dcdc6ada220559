package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// An ID that can be a name becomes the name; any other stands beside it. What init writes
// is a fleet file.
func TestInit_ExistingMeshes_KeepTheirIDsAndNetworks(t *testing.T) {
	d := &draft{Name: "prod", Version: "v1.31.3", Clusters: []initCluster{
		{Name: "mesh-a", Network: "mesh-a-network", Path: "a", Context: "a"},
		{Name: "mesh-b", Network: "mesh-b-network", Path: "b", Context: "b"},
		{Name: "mesh-c", Network: "mesh-c-network", Path: "c", Context: "c"},
	}}
	mesh := func(id, network string) api.Mesh {
		return api.Mesh{Network: network, Istiods: []api.Istiod{{Revision: "default", TrustDomain: "cluster.local", ClusterName: id}}}
	}
	require.NoError(t, d.adopt(api.InspectResult{Clusters: []api.InspectedCluster{
		{Name: "mesh-a", Mesh: mesh("cn-acme-prod-europe-west1-mesh-a", "Prod_Net")},
		{Name: "mesh-b", Mesh: mesh("west", "")},
		{Name: "mesh-c", Mesh: mesh("a-to-b", "1.20")},
	}}))
	data, err := d.file()
	require.NoError(t, err)
	f, err := fleet.Parse("fleet.yaml", data)
	require.NoError(t, err)
	var got [][3]string
	for _, c := range f.Spec.Clusters {
		got = append(got, [3]string{c.Name, c.ID(), c.Network})
	}
	require.Equal(t, [][3]string{{"mesh-a", "cn-acme-prod-europe-west1-mesh-a", "Prod_Net"}, {"west", "west", "mesh-b-network"}, {"mesh-c", "a-to-b", "1.20"}}, got)
}
