package lab

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRealNodes_InADirectoryThatIsTooDeep_AreRefusedAtOnce(t *testing.T) {
	o := Options{Clusters: 3}
	require.NoError(t, o.checkLength("/"+strings.Repeat("d", 58)))
	require.ErrorContains(t, o.checkLength("/"+strings.Repeat("d", 80)), "has 81 bytes, and 62 are the most: choose a shorter one")
}
