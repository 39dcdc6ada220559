package main

import (
	"io"
	"os"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-isatty"

	"github.com/landbridge/landbridge/internal/api"
)

// The styles use the terminal's own colours, which fit a light and a dark one, so that
// no command has to ask the terminal which it is: one that does not answer would delay
// every command.
var (
	styles = map[api.State]ansi.Style{
		api.Running: ansi.NewStyle(ansi.AttrBlueForegroundColor),
		api.Done:    ansi.NewStyle(ansi.AttrGreenForegroundColor),
		api.Failed:  ansi.NewStyle(ansi.AttrBold, ansi.AttrRedForegroundColor),
		api.Undone:  ansi.NewStyle(ansi.AttrBold, ansi.AttrRedForegroundColor),
		api.Waiting: ansi.NewStyle(ansi.AttrYellowForegroundColor),
		api.Skipped: faint,
		api.Pending: faint,
	}
	bold, faint, attention = ansi.NewStyle(ansi.AttrBold), ansi.NewStyle(ansi.AttrFaint), ansi.NewStyle(ansi.AttrBold, ansi.AttrYellowForegroundColor)
)

// drawable reports whether w is a terminal that understands escape codes.
func drawable(w io.Writer) bool {
	f, ok := w.(*os.File)
	term := os.Getenv("TERM")
	return ok && isatty.IsTerminal(f.Fd()) && term != "" && term != "dumb"
}

// colours returns which escape codes w may get. It looks at w and two variables of the
// environment; colorprofile.Detect would also run tmux, and wait for it.
func colours(w io.Writer) colorprofile.Profile {
	if drawable(w) && os.Getenv("NO_COLOR") == "" {
		return colorprofile.ANSI
	}
	return colorprofile.NoTTY
}

// coloured returns a writer to w that drops every escape code where w shows no
// colours.
func coloured(w io.Writer) io.Writer {
	return &colorprofile.Writer{Forward: w, Profile: colours(w)}
}

// wide marks what is to be written for -o wide: more columns, and no line is broken.
type wide struct{ io.Writer }

func isWide(w io.Writer) bool {
	_, ok := w.(wide)
	return ok
}

// widthOf returns how many characters a line of w has room for, or 0 where no line has to be
// broken.
func widthOf(w io.Writer) int {
	if c, ok := w.(*colorprofile.Writer); ok {
		w = c.Forward
	}
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return 0
	}
	columns, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 0
	}
	return columns
}
