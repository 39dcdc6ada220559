package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// waveRun holds the work on one wave: its members, and beside them the links whose two clusters
// are done. A cluster whose cloud is slow so holds up its own links and no others.
type waveRun struct {
	*rollout
	n int
	// members counts those that are at work, and atWork has the sources whose links are.
	members int
	atWork  map[string]bool
	// linksOf counts the links of each source that were pending before.
	linksOf map[string]int
	// found comes next. It was looked for after seen moves.
	found piece
	seen  int
}

// piece of the work on a wave: a member, or links of one source, or nothing.
type piece struct {
	member *unit
	links  []fleet.Link
}

func (p piece) none() bool { return p.member == nil && len(p.links) == 0 }

// newWaveRun begins the work on wave n.
func newWaveRun(r *rollout, n int) *waveRun {
	w := &waveRun{rollout: r, n: n, atWork: map[string]bool{}, linksOf: map[string]int{}, seen: -1}
	for _, u := range r.list {
		if l, ok := u.Unit.Link(); ok && u.State == api.Pending && u.wave <= n && !u.Removal {
			w.linksOf[l.From]++
		}
	}
	return w
}

// next returns what can begin now: a member first, since links wait for it.
func (w *waveRun) next() piece {
	if w.seen == w.moves {
		return w.found
	}
	w.seen, w.found = w.moves, piece{}
	if u := w.nextMember(w.n); u != nil && w.members < w.membersAtOnce() {
		w.found.member = u
	} else if len(w.atWork) < w.in.Fleet.Spec.Rollout.MaxParallel {
		w.found.links = w.nextLinks()
	}
	return w.found
}

// begin notes that a piece of work begins, and returns the work.
func (w *waveRun) begin(ctx workflow.Context, p piece) func(workflow.Context) {
	w.seen = -1
	if p.member != nil {
		return w.beginMember(ctx, p.member)
	}
	return w.beginLinks(ctx, p.links)
}

// beginMember begins steps 3 to 8 on a pending member.
func (w *waveRun) beginMember(ctx workflow.Context, u *unit) func(workflow.Context) {
	w.members++
	u.move(api.Running)
	w.showPhase(ctx)
	w.show(ctx)
	return func(ctx workflow.Context) {
		w.rolloutMember(ctx, u)
		w.members--
		w.seen = -1
		w.showPhase(ctx)
	}
}

// beginLinks begins links of one source.
func (w *waveRun) beginLinks(ctx workflow.Context, links []fleet.Link) func(workflow.Context) {
	source := links[0].From
	w.atWork[source] = true
	in := w.linksInput(ctx, links)
	begun := w.beginLinksOf(in)
	w.showPhase(ctx)
	w.show(ctx)
	return func(ctx workflow.Context) {
		w.rolloutLinksOf(ctx, in, begun)
		delete(w.atWork, source)
		w.seen = -1
	}
}

// showPhase tells what the run does now: the links alone, or clusters.
func (w *waveRun) showPhase(ctx workflow.Context) {
	phase := "links"
	if w.members > 0 || w.nextMember(w.n) != nil {
		phase = "clusters"
	} else if len(w.atWork) == 0 {
		return // what comes next tells its own
	}
	if w.Phase != phase {
		w.phase(ctx, phase)
	}
}

// mostParts is in how many parts the links of a source begin at most while members are at work.
// Each part is a child workflow, and the fleet's history is not to grow with the square of its
// clusters.
const mostParts = 4

// nextLinks returns the links that begin next: those of one source that are ready. While members
// are at work, whose links are not ready yet, links of a large fleet wait until a part of its
// source's is. A rotation renews members first, and then links.
func (w *waveRun) nextLinks() []fleet.Link {
	busy := w.members > 0 || w.nextMember(w.n) != nil
	if busy && w.in.Rotate != nil {
		return nil
	}
	for _, links := range fleet.BySource(w.readyLinks(w.n)) {
		if source := links[0].From; !w.atWork[source] && (!busy || len(links)*mostParts >= w.linksOf[source]) {
			return links
		}
	}
	return nil
}
