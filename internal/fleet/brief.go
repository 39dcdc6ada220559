package fleet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// more ends a text that was cut.
const more = "…"

// Brief cuts a message to at most n bytes, between characters, and ends what it
// cut with "…" where that has room. The result is valid UTF-8, which Temporal's
// protocol insists on: a failure that is not cannot be reported at all.
func Brief(message string, n int) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= n {
		return message
	}
	if n < len(more) {
		return message[:before(message, n)]
	}
	return message[:before(message, n-len(more))] + more
}

// before returns the last place, at n or before it, where a character begins.
func before(s string, n int) int {
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// inCell escapes what would end a cell of a Markdown table, and what escapes.
var inCell = strings.NewReplacer(`\`, `\\`, "|", `\|`)

// Cell makes a message fit into a cell of a Markdown table: one line of at most
// n bytes, cut by Brief.
func Cell(s string, n int) string {
	whole := inCell.Replace(OneLine(s))
	cell := Brief(whole, n)
	if cell == whole {
		return cell
	}
	// A backslash that lost what it escapes would escape what follows the cell.
	text, cut := strings.CutSuffix(cell, more)
	if slashes := len(text) - len(strings.TrimRight(text, `\`)); slashes%2 == 1 {
		text = text[:len(text)-1]
	}
	if cut {
		text += more
	}
	return text
}

// OneLine puts one space where there was white space, line ends included, or what
// a terminal would obey.
func OneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
