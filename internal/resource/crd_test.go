package resource

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

func TestCRD_FileIsFresh(t *testing.T) {
	got, err := generateCRD()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("crd.yaml", got, 0o644))
	}
	want, err := os.ReadFile("crd.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go generate ./internal/resource")
}

// kubectl keeps what it applied in an annotation, and Kubernetes allows 256 KiB for all of them.
func TestCRD_CanBeAppliedByKubectl(t *testing.T) {
	require.Less(t, len(CRD), 200<<10)
}
