package fleet

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestBrief_CutsBetweenCharactersAndMendsTheRest(t *testing.T) {
	require.Equal(t, "short", Brief("short", 5))
	require.Equal(t, "ab\uFFFDc", Brief("ab\xffc", 100))
	for n := 3; n < 20; n++ {
		got := Brief(strings.Repeat("ä", 30), n)
		require.True(t, utf8.ValidString(got), got)
		require.LessOrEqual(t, len(got), n)
		require.True(t, strings.HasSuffix(got, "…"))
	}
}
