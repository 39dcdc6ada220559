package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// table prints aligned columns, as kubectl does. Where a terminal has no room for a row, its
// last cell goes on below: it has the reasons, and a reason is never cut off.
type table struct {
	w     io.Writer
	width int
	rows  [][]string
}

const (
	// cellGap stands between two columns, or narrowGap where a row would not fit else.
	cellGap   = 3
	narrowGap = 2
	// A last column needs leastRoom beside the others; with less it goes below them.
	leastRoom = 28
	// cellIndent begins a last cell that stands below its row.
	cellIndent = 4
)

func newTable(w io.Writer, head ...string) *table {
	t := &table{w: w, width: widthOf(w)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// flush prints the rows.
func (t *table) flush() {
	widths, gap := t.widths(), cellGap
	before, all := 0, 0 // what stands before the last column, and with it
	for _, n := range widths {
		before, all = all, all+n+gap
	}
	if t.width > 0 && all-gap > t.width {
		gap = narrowGap
		before -= (len(widths) - 1) * (cellGap - narrowGap)
	}
	for _, row := range t.rows {
		last := len(row) - 1
		var line strings.Builder
		for i, cell := range row[:last] {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+gap))
		}
		for _, l := range t.broken(line.String(), row[last], before) {
			fmt.Fprintln(t.w, strings.TrimRight(l, " "))
		}
	}
}

func (t *table) widths() []int {
	out := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			out[i] = max(out[i], ansi.StringWidth(cell))
		}
	}
	return out
}

// broken returns the lines of a row: its first cells, and the last one in as many lines as it
// takes.
func (t *table) broken(first, last string, before int) []string {
	if t.width == 0 || before+ansi.StringWidth(last) <= t.width {
		return []string{first + last}
	}
	indent := before
	if t.width-before < leastRoom {
		indent = cellIndent
	}
	lines := wrapped(last, t.width-indent)
	for i := range lines {
		if i > 0 || indent < before {
			lines[i] = strings.Repeat(" ", indent) + lines[i]
		}
	}
	if indent < before {
		return append([]string{first}, lines...)
	}
	lines[0] = first + lines[0]
	return lines
}

// unbroken stands for a hyphen while lines are broken: a name that is cut in two can neither
// be copied nor searched for.
const unbroken = "\ue000"

// wrapped breaks a text into lines of at most so many characters, between words where it can.
func wrapped(text string, width int) []string {
	lines := ansi.Wrap(strings.ReplaceAll(text, "-", unbroken), max(width, 10), " ")
	return strings.Split(strings.ReplaceAll(lines, unbroken, "-"), "\n")
}

// hanging breaks a text where the line of a terminal ends, and indents what follows.
func hanging(w io.Writer, text string, indent int) string {
	width := widthOf(w)
	if width == 0 {
		return text
	}
	return strings.Join(wrapped(text, width-indent), "\n"+strings.Repeat(" ", indent))
}

// paragraphs breaks each line of a text, and indents what follows of it.
func paragraphs(w io.Writer, text string) string {
	const indent = 2
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = hanging(w, lines[i], indent)
	}
	return strings.Join(lines, "\n")
}
