package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

func istioOf(cluster string, v api.IstioVersions) api.ClusterIstio {
	return api.ClusterIstio{Cluster: cluster, IstioVersions: v}
}

func TestShowIstio_TellsWhatAPersonCannotSeeElsewhere(t *testing.T) {
	for want, clusters := range map[string][]api.ClusterIstio{
		"": {istioOf("east", api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.31.3", CNI: "v1.31.3", Gateways: "v1.31.3"}), istioOf("west", api.IstioVersions{Wanted: "v1.31.3"})},
		"\nIstio: v1.31-latest is v1.31.3 now (east, west)\n": {istioOf("east", api.IstioVersions{Wanted: "v1.31.3", Alias: "v1.31-latest"}),
			istioOf("west", api.IstioVersions{Wanted: "v1.31.3", Alias: "v1.31-latest"})},
		"\nIstio changes: from v1.30.7 to v1.31.3 (west)\n\n" + attention.Styled("control planes run different versions of Istio: v1.30.7 (west), v1.31.3 (east, north)") + "\n": {
			istioOf("east", api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.31.3"}), istioOf("west", api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.30.7"}),
			istioOf("north", api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.31.3"})},
		"\nparts of Istio run different versions: istiod v1.31.3, CNI plugin v1.30.7, gateways v1.31.2 (east)\n": {
			istioOf("east", api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.31.3", CNI: "v1.30.7", Gateways: "v1.31.2"})},
		"\nan istiod before v1.31.0 can go on without another cluster after a remote secret changed, until it restarts (`landbridge verify` sees it): v1.30.7 (east)\n": {
			istioOf("east", api.IstioVersions{Wanted: "v1.30.7", Istiod: "v1.30.7"})},
	} {
		var b strings.Builder
		showIstio(&b, clusters)
		require.Equal(t, want, b.String())
	}
}

func TestGrouped_ManyClusters_AreCounted(t *testing.T) {
	var g grouped
	for _, c := range strings.Fields("a b c d e f g h i j") {
		g.add("v1.31.3", c)
	}
	require.Equal(t, "v1.31.3 (a, b, c, d, e, f, g, h and 2 more)", g.String())
}

func TestPlan_AVersionThatWasChosen_IsTold(t *testing.T) {
	var b strings.Builder
	printPlan(&b, api.FleetResult{IstioChosen: "v1.31.3 (the newest that every operator knows; spec.istio.version is not set)"}, false)
	require.Contains(t, b.String(), "\nIstio v1.31.3 (the newest that every operator knows; spec.istio.version is not set)\n")
}
