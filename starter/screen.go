package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// screen shows a fleet on a terminal. A unit that runs or failed has a line; the others
// are counted.
type screen struct {
	program *tea.Program
	ended   chan struct{}
}

func newScreen(ctx context.Context, w io.Writer, noun string) *screen {
	s := &screen{ended: make(chan struct{})}
	// The program reads no input, and sends the terminal no question: Ctrl-C stays a
	// signal, which the command handles.
	s.program = tea.NewProgram(picture{noun: noun, width: 80, height: 24}, tea.WithContext(ctx), tea.WithOutput(w),
		tea.WithColorProfile(colours(w)), tea.WithInput(nil), tea.WithoutSignalHandler())
	go func() {
		defer close(s.ended)
		_, _ = s.program.Run()
	}()
	return s
}

func (s *screen) progress(p progress) { s.program.Send(p) }

// close leaves the last picture on the terminal.
func (s *screen) close() {
	s.program.Quit()
	<-s.ended
}

// picture holds what the screen shows.
type picture struct {
	progress
	noun          string
	width, height int
	now           time.Time
}

func (p picture) Init() tea.Cmd { return nil }

func (p picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = m.Width, m.Height
	case progress:
		p.progress, p.now = m, time.Now()
	}
	return p, nil
}

var signs = map[api.State]string{api.Running: "●", api.Done: "✓", api.Failed: "✗", api.Undone: "✗", api.Waiting: "◌", api.Skipped: "-", api.Pending: "○"}

func (p picture) View() tea.View {
	v := tea.NewView(p.draw())
	v.DisableBracketedPasteMode = true // nothing is read
	return v
}

func (p picture) draw() string {
	if p.Fleet == "" {
		return "looking for a worker that answers …\n"
	}
	counts := p.counts()
	rows := p.head(max(p.height-len(counts)-leastBeside, 1))
	var units []string
	all := p.rows()
	for _, state := range []api.State{api.Failed, api.Undone, api.Running} {
		for _, r := range all {
			if r.State == state {
				units = append(units, p.unit(r, nameWidth(all, p.width))...)
			}
		}
	}
	// Room is needed for the counts, a line that tells that there is more, and the cursor.
	if room := max(p.height-len(rows)-len(counts)-2, 0); len(units) > room {
		units = append(units[:room], faint.Styled(fmt.Sprintf("  … and more; `landbridge status %s` shows all", p.Fleet)))
	}
	rows = append(append(rows, units...), counts...)
	for i := range rows {
		rows[i] = ansi.Truncate(rows[i], p.width, "…")
	}
	return strings.Join(rows, "\n") + "\n"
}

// leastBeside counts the lines of the title, of the waves, of a unit, of the hint that there is
// more, and of the cursor.
const leastBeside = 5

// head draws what stands above the units. What the run waits for takes at most so many lines.
func (p picture) head(most int) []string {
	title := fmt.Sprintf("%s  %s, %s  %s", bold.Styled("fleet "+p.Fleet), p.noun, p.Phase, elapsed(p.now.Sub(p.Began)))
	rows := []string{title}
	switch why := p.Request.Line(); {
	case why == "":
	case ansi.StringWidth(title)+2+ansi.StringWidth(why) <= p.width:
		rows[0] += faint.Styled("  " + why)
	case p.height >= leastHeight: // else what fails needs the line more
		rows = append(rows, faint.Styled(why))
	}
	var waits []string
	for i, h := range p.holds() {
		for _, line := range wrapped(h, p.width) {
			if i == 0 {
				line = attention.Styled(line)
			}
			waits = append(waits, line)
		}
	}
	rows = append(rows, waits[:min(len(waits), most)]...)
	if len(p.Waves) > 0 {
		var waves []string
		for _, w := range p.Waves {
			waves = append(waves, styles[w.State].Styled(fmt.Sprintf("%s %s (%d)", signs[w.State], w.Name, w.Clusters)))
		}
		rows = append(rows, "waves  "+strings.Join(waves, "  "))
	}
	return rows
}

// unit draws the line of a unit that runs or failed. Text that does not fit goes below.
func (p picture) unit(u row, width int) []string {
	took := ""
	if u.Since != nil {
		took = elapsed(p.now.Sub(*u.Since))
	}
	name := fmt.Sprintf("%s %-*s", signs[u.State], width, u.name)
	const indent = "      "
	head := styles[u.State].Styled(name) + fmt.Sprintf(" %6s  ", took)
	doing := u.doing()
	if ansi.StringWidth(head)+ansi.StringWidth(doing) <= p.width {
		return []string{head + doing}
	}
	// On a narrow terminal the end of the text matters most: there a cloud tells why.
	first, rest, _ := strings.Cut(doing, ": ")
	if ansi.StringWidth(head)+ansi.StringWidth(first) > p.width {
		first, rest = "", doing
	}
	rows := []string{head + first}
	below := wrapped(rest, p.width-len(indent))
	if u.State == api.Running && len(below) > maxBelow {
		// The last words are the cloud's own.
		below = append([]string{below[0] + " …"}, below[len(below)-maxBelow+1:]...)
	}
	for _, line := range below {
		rows = append(rows, indent+faint.Styled(strings.TrimSpace(line)))
	}
	return rows
}

// maxBelow limits the lines that a message takes below a unit that runs. Why one failed is told
// in full.
const maxBelow = 3

// leastHeight of a screen has room for a line that tells only who asked.
const leastHeight = 16

// nameWidth returns the width of the column of names, at most a third of the screen.
func nameWidth(rows []row, screen int) (n int) {
	for _, r := range rows {
		n = max(n, len(r.name))
	}
	return min(n, screen/3)
}

// counts draws a line for each state whose units have none of their own.
func (p picture) counts() []string {
	var out []string
	for _, state := range []api.State{api.Waiting, api.Pending, api.Skipped, api.Done} {
		clusters, links := 0, 0
		for _, u := range p.Units {
			if u.State != state || u.Unit == api.Root() {
				continue
			}
			if _, link := u.Unit.Link(); link {
				links++
			} else {
				clusters++
			}
		}
		var parts []string
		if clusters > 0 {
			parts = append(parts, fleet.Count(clusters, "cluster"))
		}
		if links > 0 {
			parts = append(parts, fleet.Count(links, "link"))
		}
		if len(parts) > 0 {
			out = append(out, styles[state].Styled(fmt.Sprintf("%s %s %s", signs[state], strings.Join(parts, " and "), state)))
		}
	}
	return out
}

// elapsed writes a duration in whole seconds, or from an hour on in minutes.
func elapsed(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	if d < time.Hour {
		return d.String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
