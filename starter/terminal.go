package main

import (
	"io"
	"os"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
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
