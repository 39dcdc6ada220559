package fleet

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func large(n int, links Links) *Fleet {
	f := &Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: "prod"}, Spec: Spec{Links: links}}
	for i := range n {
		name := fmt.Sprintf("c%04d", i)
		f.Spec.Clusters = append(f.Spec.Clusters, Cluster{Name: name, Network: name, Kubeconfig: Kubeconfig{Path: name}})
	}
	f.SetDefaults()
	return f
}

func TestSize_WhatNoRunCouldHold_IsRefusedWithTheNumber(t *testing.T) {
	hub := Links{Hub: &Hub{Cluster: "c0000", Direction: "both"}}
	require.NoError(t, large(245, Links{}).Validate())
	require.NoError(t, large(maxClusters, hub).Validate())
	require.EqualError(t, large(246, Links{}).Validate(),
		"fleet: spec.links: want at most 60000 links, got 60270: a plan has room for no more; a mesh of 245 clusters is the largest, and a hub, groups or a list have fewer links")
	require.EqualError(t, large(maxClusters+1, hub).Validate(), "fleet: spec.clusters: want at most 1500 clusters, got 1501: the history of a run has room for no more; make several fleets")
	require.ErrorContains(t, large(20_000, Links{}).Validate(), "got 20000", "it does not even begin to count links")
}
