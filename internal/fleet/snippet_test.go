package fleet

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSnippet_ShowsTheLineAndACaret(t *testing.T) {
	s := source{"first", "", "  größe: [a,\tb]", "\tx\x1b[31m"}
	for _, c := range []struct {
		at   place
		want string
	}{
		{place{1, 1}, ">  1 | first\n       ^"},
		{place{1, 6}, ">  1 | first\n            ^"},
		{place{2, 1}, ">  2 | \n       ^"},
		{place{3, 13}, ">  3 |   größe: [a, b]\n                   ^"},
		{place{4, 2}, ">  4 |  x [31m\n        ^"}, // nothing that a terminal would obey
		{place{0, 0}, ""},
		{place{5, 1}, ""},
	} {
		require.Equal(t, c.want, s.snippet(c.at), c.at)
	}
}

// The tokens of the file lose count after a block of text; a snippet does not.
func TestSnippet_AfterABlockOfText_ShowsTheRightLine(t *testing.T) {
	_, err := Parse("fleet.yaml", []byte(small+"  istio:\n    values:\n      a: >-\n        two\n        lines\n      b: \"two\n        lines\"\n    platform: windows\n"))
	require.ErrorContains(t, err, "fleet.yaml:16:5: spec.istio.platform")
	require.ErrorContains(t, err, "\n> 16 |     platform: windows\n           ^")
}

func TestWindow_AnyLine_KeepsTheColumnInSight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := []rune(rapid.StringOfN(rapid.SampledFrom([]rune("ab :ä日{}")), 1, 500, -1).Draw(t, "line"))
		column := rapid.IntRange(1, len(line)).Draw(t, "column")
		text, at := window(line, column)
		require.Equal(t, line[column-1], []rune(text)[at-1])
		require.LessOrEqual(t, utf8.RuneCountInString(text), maxSnippet+2)
		require.Contains(t, string(line), strings.Trim(text, more))
		if len(line) <= maxSnippet {
			require.Equal(t, string(line), text)
		}
	})
}
