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
	of.Refused = api.StillInMesh(of.Workloads)
	b.Reset()
	printCleanup(&b, of, true, time.Second)
	require.Equal(t, 1, strings.Count(b.String(), "namespace shop"), b.String())
	require.Contains(t, b.String(), "a cleanup is refused: workloads are in the mesh of a control plane that would go")
}
