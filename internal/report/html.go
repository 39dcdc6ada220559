package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

//go:embed report.html.tmpl
var page string

var tmpl = template.Must(template.New("report").Funcs(template.FuncMap{
	"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"took": took, "stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"object": object, "days": func(until, at time.Time) int { return int(until.Sub(at).Hours() / 24) },
	"noun": noun, "lines": func(s string) []string { return strings.Split(s, "\n") },
	"counts": counts, "title": func(typ string) string { n := noun(typ); return strings.ToUpper(n[:1]) + n[1:] }, "ms": func(d time.Duration) string { return d.Round(time.Millisecond).String() },
}).Parse(page))

// HTML writes the report as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	return tmpl.Execute(w, struct {
		*Report
		Timeline timeline
	}{r, r.timeline()})
}

func noun(typ string) string {
	switch {
	case strings.HasPrefix(typ, "Rollout"):
		return "rollout"
	case strings.HasPrefix(typ, "Cleanup"):
		return "cleanup"
	}
	return strings.ToLower(cmp.Or(strings.TrimSuffix(typ, "Fleet"), "workflow"))
}

func took(began time.Time, ended *time.Time) string {
	if ended == nil {
		return "runs"
	}
	d := ended.Sub(began)
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func object(c fleet.Change) string {
	return strings.TrimSpace(c.Kind + " " + strings.TrimPrefix(c.Namespace+"/"+c.Name, "/"))
}

func isUndo(s Step) bool { return strings.HasPrefix(s.Step, "undo ") }

// counts says how many objects of all steps were created, updated and so on.
func (r *Report) counts() map[fleet.Action]int {
	n := map[fleet.Action]int{}
	for _, u := range r.Units {
		for _, s := range u.Steps {
			for _, c := range s.Changes {
				n[c.Action]++
			}
		}
	}
	return n
}

func counts(r *Report) string {
	var parts []string
	for _, a := range []fleet.Action{fleet.Create, fleet.Update, fleet.Adopt, fleet.Remove, fleet.Wait, fleet.Keep} {
		if n := r.counts()[a]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a, n))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// maxRows keeps the picture of a large fleet readable: clusters first, then links.
const maxRows = 150

// The measures of the picture, in its own units.
const (
	rowHeight, barHeight   = 22, 14
	labelWidth, plotWidth  = 190, 780
	headHeight, fromTheTop = 26, 4
)

// timeline is the picture of a run: a row for each unit, a bar for each step.
type timeline struct {
	Width, Height int
	Ticks         []tick
	Rows          []row
	// Hidden is how many units have no row.
	Hidden int
}

type tick struct {
	X     float64
	Label string
}

type row struct {
	Label      string
	Y, TextY   int
	Bars       []bar
	Background bool
}

type bar struct {
	X, Width float64
	Y        int
	Class    string
	Title    string
	// Retries is the number of attempts after the first.
	Retries int
}

func (r *Report) timeline() timeline {
	end := r.Made
	if r.Ended != nil {
		end = *r.Ended
	}
	length := max(end.Sub(r.Began), time.Second)
	x := func(t time.Time) float64 {
		return labelWidth + plotWidth*float64(t.Sub(r.Began))/float64(length)
	}
	units := slices.Clone(r.Units)
	slices.SortStableFunc(units, func(a, b UnitReport) int { return rank(a) - rank(b) })
	var t timeline
	if len(units) > maxRows {
		t.Hidden = len(units) - maxRows
		units = units[:maxRows]
	}
	for i, u := range units {
		y := headHeight + i*rowHeight
		rw := row{Label: u.Name, Y: y, TextY: y + rowHeight - 7, Background: i%2 == 0}
		if u.Name == fleetUnit {
			rw.Bars = r.waitBars(x, end, y+fromTheTop)
		}
		for _, s := range u.Steps {
			until := end
			if s.Ended != nil {
				until = *s.Ended
			}
			b := bar{X: x(s.Began), Width: max(x(until)-x(s.Began), 1.5), Y: y + fromTheTop, Class: s.State, Retries: max(s.Attempts-1, 0)}
			if isUndo(s) {
				b.Class = "undo " + s.State
			}
			b.Title = fmt.Sprintf("%s: %s, %s", s.Step, s.State, took(s.Began, s.Ended))
			if b.Retries > 0 {
				b.Title += fmt.Sprintf(", %d attempts", s.Attempts)
			}
			if s.Error != "" {
				b.Title += ": " + s.Error
			}
			rw.Bars = append(rw.Bars, b)
		}
		t.Rows = append(t.Rows, rw)
	}
	t.Width, t.Height = labelWidth+plotWidth+20, headHeight+len(units)*rowHeight+6
	step := tickStep(length)
	for at := time.Duration(0); at <= length; at += step {
		t.Ticks = append(t.Ticks, tick{x(r.Began.Add(at)), at.String()})
	}
	return t
}

// waitBars draws the times during which the run waited for people.
func (r *Report) waitBars(x func(time.Time) float64, end time.Time, y int) (out []bar) {
	for _, w := range r.Waits {
		until := end
		if w.Ended != nil {
			until = *w.Ended
		}
		out = append(out, bar{X: x(w.Began), Width: max(x(until)-x(w.Began), 1.5), Y: y, Class: "waiting", Title: w.Did() + ", " + took(w.Began, w.Ended)})
	}
	return out
}

func rank(u UnitReport) int {
	switch {
	case u.Name == fleetUnit:
		return 0
	case strings.Contains(u.Name, "cluster"):
		return 1
	}
	return 2
}

// tickStep gives about eight ticks.
func tickStep(length time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute,
		5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour} {
		if length/s <= 8 {
			return s
		}
	}
	return (length / 8).Round(time.Hour)
}
