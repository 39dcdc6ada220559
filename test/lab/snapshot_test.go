package lab

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompare_NamesWhatIsMissingChangedAndLeft(t *testing.T) {
	before := map[string]string{"Secret a/kept": "1", "Secret a/edited": "1", "Secret a/deleted": "1"}
	after := map[string]string{"Secret a/kept": "1", "Secret a/edited": "2", "Secret a/new": "1"}
	require.Equal(t, []string{"changed: Secret a/edited\n  1\n  2", "left: Secret a/new", "missing: Secret a/deleted"}, Compare(before, after))
	require.Empty(t, Compare(before, before))
}
