package main

import (
	"testing"
	"time"

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

// A mesh that somebody set up by docs/guide.md: its gateways are to become the fleet's, and
// Istio and the CAs stay. The file says what it means that the root's key is gone.
func TestInit_MeshesOfTheGuide_AreAdopted(t *testing.T) {
	d := &draft{Name: "prod", Version: "v1.31.3", Clusters: []initCluster{
		{Name: "a", Network: "a-network", Path: "a", Context: "a"}, {Name: "b", Network: "b-network", Path: "b", Context: "b"}}}
	mesh := func(id string, ends time.Time, hosts ...string) api.Mesh {
		return api.Mesh{Network: id + "-network", Istiods: []api.Istiod{{Revision: "default", TrustDomain: "cluster.local", ClusterName: id, Version: "1.24.3", By: "Sail"}},
			EastWest: []api.MeshGateway{{Service: fleet.EastWestGateway, Labels: map[string]string{"istio": "eastwestgateway"}, ServiceAccount: fleet.EastWestGateway}},
			Guide:    &api.GuideMesh{DataPlaneHosts: hosts, Platform: "openshift", IntermediateEnds: ends}}
	}
	first := time.Date(2034, 11, 27, 0, 0, 0, 0, time.UTC)
	require.NoError(t, d.adopt(api.InspectResult{Clusters: []api.InspectedCluster{
		{Name: "a", Mesh: mesh("east", first.AddDate(1, 0, 0), "httpbin.default.svc.cluster.local")},
		{Name: "b", Mesh: mesh("west", first, "httpbin.default.svc.cluster.local", "*.shop.svc.cluster.local")},
	}}))
	data, err := d.file()
	require.NoError(t, err)
	require.Contains(t, string(data), "# So do the CAs, which end on 2034-11-27. Landbridge has not the key of their root")
	f, err := fleet.Parse("fleet.yaml", data)
	require.NoError(t, err)
	require.True(t, f.Spec.Adopt)
	require.False(t, f.Spec.Istio.Managed())
	require.False(t, f.Spec.CA.Managed())
	require.True(t, f.Spec.Gateways.EastWest.Managed())
	require.Equal(t, "openshift", f.Spec.Istio.Platform)
	require.Equal(t, []string{"*.shop.svc.cluster.local", "httpbin.default.svc.cluster.local"}, f.Spec.Gateways.DataPlaneHosts)
	require.Equal(t, "east", f.Spec.Clusters[0].Name)
}
