package fleet

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBrief_Examples(t *testing.T) {
	for _, c := range []struct {
		message string
		n       int
		want    string
	}{
		{"short", 5, "short"},
		{"longer", 5, "lo…"},
		{"ab\xffc", 100, "ab\uFFFDc"},
		{"Zürich", 6, "Zü…"},
		{"Zürich", 5, "Z…"}, // ü has two bytes, of which one has room
		{"日本語", 8, "日…"},
		{"日本語", 9, "日本語"},
		{"longer", 3, "…"},
		{"longer", 2, "lo"}, // too narrow for the mark
		{"日本語", 2, ""},
		{"longer", 0, ""},
		{"longer", -1, ""},
		{"", 0, ""},
		{"", -1, ""},
	} {
		require.Equal(t, c.want, Brief(c.message, c.n), "Brief(%q, %d)", c.message, c.n)
	}
}

func TestBrief_AnyMessageAndRoom_IsValidAndFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message, n := anyText(t), rapid.IntRange(-3, 60).Draw(t, "n")
		got := Brief(message, n)
		if !utf8.ValidString(got) {
			t.Fatalf("Brief(%q, %d) is no UTF-8: %q", message, n, got)
		}
		if len(got) > max(n, 0) {
			t.Fatalf("Brief(%q, %d) has %d bytes: %q", message, n, len(got), got)
		}
		valid := strings.ToValidUTF8(message, "\uFFFD")
		if kept, cut := strings.CutSuffix(got, more); got != valid && !strings.HasPrefix(valid, kept) || !cut && n >= len(more) && got != valid {
			t.Fatalf("Brief(%q, %d) is not how the message begins, and the mark: %q", message, n, got)
		}
	})
}

func TestCell_Examples(t *testing.T) {
	for _, c := range []struct {
		message string
		n       int
		want    string
	}{
		{"no address yet", 300, "no address yet"},
		{"two\nlines,\r\n\ta tab and\u2028more", 300, "two lines, a tab and more"},
		{"  a | b  ", 300, `a \| b`},
		{`C:\x|y`, 300, `C:\\x\|y`},
		{"Gerät läuft nicht", 9, "Gerät…"},
		{"Gerät läuft nicht", 6, "Ger…"},
		{"über|all", 8, "über…"},   // both bytes of \| do not fit: neither is kept
		{"aa|bcdefgh", 6, "aa…"},   // the backslash alone would have fit
		{`aa\bcdefgh`, 7, `aa\\…`}, // an escaped backslash stays whole
		{"|||||", 2, `\|`},         // too narrow for the mark
		{"|||||", 1, ""},
		{"|", -1, ""},
	} {
		require.Equal(t, c.want, Cell(c.message, c.n), "Cell(%q, %d)", c.message, c.n)
	}
}

func TestCell_AnyMessageAndRoom_StaysInItsCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message, n := anyText(t), rapid.IntRange(-3, 60).Draw(t, "n")
		got := Cell(message, n)
		if !utf8.ValidString(got) || len(got) > max(n, 0) || strings.ContainsAny(got, "\n\r") {
			t.Fatalf("Cell(%q, %d) is no line of that size: %q", message, n, got)
		}
		// What a reader of Markdown sees of it has no escape that reaches out of the
		// cell, and no pipe that ends it.
		for rest := got; rest != ""; {
			switch {
			case strings.HasPrefix(rest, `\\`), strings.HasPrefix(rest, `\|`):
				rest = rest[2:]
			case rest[0] == '\\', rest[0] == '|':
				t.Fatalf("Cell(%q, %d) leaves %q open: %q", message, n, rest, got)
			default:
				rest = rest[1:]
			}
		}
	})
}

// anyText draws messages with what is hard for a cutter: wide characters, line
// ends, pipes, backslashes and bytes that are no text.
func anyText(t *rapid.T) string {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"|", `\`, "\n", "\r\n", "\t", "ä", "日", "😀", "…", "\xff", "\xe6\x97", " "}),
		rapid.StringN(0, 4, -1))
	return strings.Join(rapid.SliceOfN(part, 0, 30).Draw(t, "parts"), "")
}
