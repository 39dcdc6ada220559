package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCount_OneHasNoEnding(t *testing.T) {
	for want, got := range map[string]string{
		"0 links":           Count(0, "link"),
		"1 link":            Count(1, "link"),
		"2 links":           Count(2, "link"),
		"21 links":          Count(21, "link"),
		"1 address":         Count(1, "address"),
		"3 addresses":       Count(3, "address"),
		"2 meshes":          Count(2, "mesh"),
		"2 patches":         Count(2, "patch"),
		"1 policy":          Count(1, "policy"),
		"2 policies":        Count(2, "policy"),
		"2 gateways":        Count(2, "gateway"),
		"2 keys":            Count(2, "key"),
		"2 source clusters": Count(2, "source cluster"),
	} {
		require.Equal(t, want, got)
	}
}
