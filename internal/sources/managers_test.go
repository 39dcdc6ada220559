package sources

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
)

// The objects of cluster managers: of the cluster inventory API, and of Open Cluster Management.
var (
	ofProfiles = fleet.ClusterSource{Source: fleet.SourceClusterProfile, Namespace: "fleet"}
	ofOCM      = fleet.ClusterSource{Source: fleet.SourceOCM, Secret: "landbridge"}
)

func profile(t *testing.T, name, status string) *unstructured.Unstructured {
	return an(t, "{apiVersion: multicluster.x-k8s.io/v1alpha2, kind: ClusterProfile, metadata: {namespace: fleet, name: %s}, spec: {clusterManager: {name: ocm}}, status: {%s}}", name, status)
}

func managed(t *testing.T, name, accepted, conditions string) *unstructured.Unstructured {
	return an(t, "{apiVersion: cluster.open-cluster-management.io/v1, kind: ManagedCluster, metadata: {name: %s}, spec: {hubAcceptsClient: %s}, status: {conditions: [%s]}}", name, accepted, conditions)
}

const joined = `{type: ManagedClusterJoined, status: "True"}`

func TestList_ObjectsOfClusterManagers_SayWhereTheClusterIs(t *testing.T) {
	c := management(profile(t, "east", "accessProviders: [{name: eks, cluster: {server: https://east}}]"), profile(t, "older", "credentialProviders: [{name: eks, cluster: {server: https://older}}]"),
		profile(t, "new", ""), managed(t, "west", "true", joined), managed(t, "asked", "false", ""), managed(t, "coming", "true", `{type: ManagedClusterJoined, status: "False"}`))
	found, err := list(t, c, ofProfiles, ofOCM)
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, found.Counts)
	require.ElementsMatch(t, []string{"ClusterProfile fleet/new: it names no access provider yet", "ManagedCluster asked: the hub has not accepted it",
		"ManagedCluster coming: it has not joined the hub yet"}, found.Passed)
	reached := map[string]fleet.Kubeconfig{}
	for _, cl := range found.Clusters {
		reached[cl.Name] = cl.Kubeconfig
	}
	require.Equal(t, map[string]fleet.Kubeconfig{
		"east":  {ClusterProfile: fleet.ClusterProfile{Namespace: "fleet", Name: "east"}},
		"older": {ClusterProfile: fleet.ClusterProfile{Namespace: "fleet", Name: "older"}},
		"west":  {Secret: fleet.KubeconfigSecret{Namespace: "west", Name: "landbridge", Format: fleet.FormatOCM}},
	}, reached)
}
