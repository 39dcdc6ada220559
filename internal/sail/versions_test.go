package sail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/sail"
)

func TestNewestOfEachMinor(t *testing.T) {
	require.Equal(t, []string{"v1.31.3", "v1.30.10", "v1.9.0"},
		sail.NewestOfEachMinor([]string{"v1.31-latest", "v1.31.3", "v1.31.1", "v1.30.9", "v1.30.10", "v1.9.0", "master", "v1.32-alpha.abc", "v1.30.011"}))
	require.Equal(t, []string{"master"}, sail.NewestOfEachMinor([]string{"master"}), "nothing that is better")
}
