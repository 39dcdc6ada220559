package fleet

import (
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/printer"
	"github.com/goccy/go-yaml/token"
)

// source holds the text of a fleet file, line by line.
type source []string

// maxSnippet limits how much of a long line is shown, in characters.
const maxSnippet = 120

// snippet has the YAML library print a line of the file, with a caret below the
// column. It gets the line as one token: with the tokens of the file it counts
// the lines wrongly after a block of text.
func (s source) snippet(at place) string {
	if at.line < 1 || at.line > len(s) {
		return ""
	}
	line, column := window([]rune(s[at.line-1]), at.column)
	var p printer.Printer
	tok := token.New(line, line, &token.Position{Line: at.line, Column: column})
	return strings.TrimRight(p.PrintErrorToken(tok, false), "\n")
}

// window returns the part of a line around a column that a screen has room for,
// and the column in it. Every character takes one place: a tab would move the
// line but not the caret.
func window(line []rune, column int) (string, int) {
	from := max(min(column-1-maxSnippet/2, len(line)-maxSnippet), 0)
	to := min(from+maxSnippet, len(line))
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, string(line[from:to]))
	column -= from
	if from > 0 {
		text, column = more+text, column+1
	}
	if to < len(line) {
		text += more
	}
	return text, max(column, 1)
}
