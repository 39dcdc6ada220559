package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/runs"
)

// followInterval sets the pause between two readings of a workflow's status.
const followInterval = time.Second

// shower shows how far a run is, each time that somebody has looked.
type shower interface {
	progress(progress)
	close()
}

// newShower shows a run of this type on a terminal as a picture that changes, and elsewhere as
// a line for every change.
func newShower(ctx context.Context, w io.Writer, typ string) shower {
	if drawable(w) {
		return newScreen(ctx, w, runs.Noun(typ))
	}
	return &lines{w: w, began: time.Now(), seen: map[string]string{}}
}

// follow shows a workflow until it ends. It returns the error that the workflow ended with,
// or the context's.
func follow(ctx context.Context, c client.Client, run client.WorkflowRun, show shower) error {
	done := make(chan error, 1)
	go func() { done <- runs.Outcome(ctx, run, nil) }()
	defer show.close()
	look := func() {
		if p, err := readProgress(ctx, c, run.GetID(), run.GetRunID()); err == nil {
			show.progress(p) // else no worker answers now, and one may at the next time
		}
	}
	look()
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			look()
			return err
		case <-time.After(followInterval):
			look()
		}
	}
}

// lines prints a line for every change of a status.
type lines struct {
	w     io.Writer
	began time.Time
	seen  map[string]string
}

// say prints a line, unless it is the last one that was printed for this key.
func (l *lines) say(key, line string) {
	if l.seen[key] != line {
		l.seen[key] = line
		fmt.Fprintf(l.w, "%6.1fs  %s\n", time.Since(l.began).Seconds(), line)
	}
}

func (l *lines) close() {}

func (l *lines) progress(p progress) {
	l.say("phase", p.Phase)
	if h := strings.Join(p.holds(), "; "); h != "" || l.seen["holds"] != "" {
		l.say("holds", cmp.Or(h, "it goes on"))
	}
	for i, d := range p.Decisions {
		l.say(fmt.Sprint("decision ", i), d.String())
	}
	for _, r := range p.rows() {
		// What was left out without a reason of its own is told by the decision, or by the end.
		if r.State == api.Pending || r.State == api.Waiting || r.State == api.Skipped && r.Message == "" {
			continue
		}
		line := r.name + ": " + string(r.State)
		if d := r.doing(); d != "" {
			line += ", " + d
		}
		l.say(r.name, line)
	}
}
