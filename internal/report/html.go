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
	X, Width  float64
	Y, Height float64
	Class     string
	Title     string
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
		var steps []bar
		for _, s := range u.Steps {
			until := end
			if s.Ended != nil {
				until = *s.Ended
			}
			b := bar{X: x(s.Began), Width: max(x(until)-x(s.Began), 1.5), Class: s.State, Retries: max(s.Attempts-1, 0)}
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
			steps = append(steps, b)
		}
		if u.Name == fleetUnit {
			rw.Bars = r.waitBars(x, end, y+fromTheTop)
		}
		rw.Bars = append(rw.Bars, stacked(steps, y+fromTheTop)...)
		t.Rows = append(t.Rows, rw)
	}
	t.Width, t.Height = labelWidth+plotWidth+20, headHeight+len(units)*rowHeight+6
	step := tickStep(length)
	for at := time.Duration(0); at <= length; at += step {
		t.Ticks = append(t.Ticks, tick{x(r.Began.Add(at)), at.String()})
	}
	return t
}

// mostLanes is how many bars of a row stand above each other at most: more could not be seen.
const mostLanes = 3

// stacked puts bars of steps that ran beside each other above each other, and gives each its
// height. The bars are in the order in which their steps began.
func stacked(bars []bar, y int) []bar {
	var ends []float64 // of the last bar in each lane
	lane := make([]int, len(bars))
	for i, b := range bars {
		at := slices.IndexFunc(ends, func(end float64) bool { return end <= b.X })
		switch {
		case at >= 0:
		case len(ends) < mostLanes:
			at, ends = len(ends), append(ends, 0)
		default:
			at = slices.Index(ends, slices.Min(ends))
		}
		lane[i], ends[at] = at, b.X+b.Width
	}
	for i := range bars {
		bars[i].Height = barHeight / float64(len(ends))
		bars[i].Y = float64(y) + bars[i].Height*float64(lane[i])
	}
	return bars
}

// waitBars draws the times during which the run waited for people.
func (r *Report) waitBars(x func(time.Time) float64, end time.Time, y int) (out []bar) {
	for _, w := range r.Waits {
		until := end
		if w.Ended != nil {
			until = *w.Ended
		}
		out = append(out, bar{X: x(w.Began), Width: max(x(until)-x(w.Began), 1.5), Y: float64(y), Height: barHeight, Class: "waiting", Title: w.Did() + ", " + took(w.Began, w.Ended)})
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
