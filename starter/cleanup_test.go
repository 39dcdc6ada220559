package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

func TestCleanup_TheOutput_NamesWhatIsInTheMesh(t *testing.T) {
	of := api.CleanupResult{Fleet: "prod", Workloads: []api.Workloads{{Cluster: "east", Namespace: "shop", Pods: 2}}}
	var b strings.Builder
	printCleanup(&b, of, true, time.Second)
	require.Contains(t, b.String(), "2 pods of namespace shop in east are in the mesh of a control plane that goes\n")
	require.NotContains(t, b.String(), "back")
	printCleanup(&b, api.CleanupResult{Fleet: "prod", Clusters: []string{"east"}, Removed: 14, GivenBack: 2}, false, time.Second)
	require.Contains(t, b.String(), "fleet prod: removed 14 objects from 1 cluster (east), gave 2 objects back as before in 1s\n")
	of.Refused = api.StillInMesh(of.Workloads)
	b.Reset()
	printCleanup(&b, of, true, time.Second)
	require.Equal(t, 1, strings.Count(b.String(), "namespace shop"), b.String())
	require.Contains(t, b.String(), "a cleanup is refused: workloads are in the mesh of a control plane that would go")
}
