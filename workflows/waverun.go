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
	w := &waveRun{rollout: r, n: n, linksOf: map[string]int{}, seen: -1}
	for _, u := range r.list {
		if l, ok := u.Unit.Link(); ok && u.State == api.Pending && u.wave <= n && !u.Removal {
			w.linksOf[l.From]++
		}
	}
	return w
}

// atWork counts the members that are at work, tells whether more are to come, and has the sources
// whose links are at work.
func (w *waveRun) atWork() (members int, more bool, sources map[string]bool) {
	sources = map[string]bool{}
	for _, u := range w.list {
		if u.State != api.Running || u.Removal {
			continue
		}
		if l, link := u.Unit.Link(); link {
			sources[l.From] = true
		} else if _, member := u.Unit.Member(); member {
			members++
		}
	}
	return members, w.nextMember(w.n) != nil, sources
}

// next returns what can begin now: a member first, since links wait for it.
func (w *waveRun) next() piece {
	if w.seen == w.moves {
		return w.found
	}
	w.seen, w.found = w.moves, piece{}
	members, more, sources := w.atWork()
	if more && members < w.membersAtOnce() {
		w.found.member = w.nextMember(w.n)
	} else if len(sources) < w.in.Fleet.Spec.Rollout.MaxParallel {
		w.found.links = w.nextLinks(members > 0 || more, sources)
	}
	return w.found
}

// begin notes that a piece of work begins, and returns the work.
func (w *waveRun) begin(ctx workflow.Context, p piece) func(workflow.Context) {
	work := func(ctx workflow.Context) {
		w.rolloutMember(ctx, p.member)
		w.showPhase(ctx)
	}
	if p.member != nil {
		p.member.move(api.Running)
	} else {
		in := w.linksInput(ctx, p.links)
		begun := w.beginLinksOf(in)
		work = func(ctx workflow.Context) { w.rolloutLinksOf(ctx, in, begun) }
	}
	w.showPhase(ctx)
	w.show(ctx)
	return work
}

// showPhase tells what the run does now: the links alone, or clusters.
func (w *waveRun) showPhase(ctx workflow.Context) {
	phase := "links"
	if members, more, sources := w.atWork(); members > 0 || more {
		phase = "clusters"
	} else if len(sources) == 0 {
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

// nextLinks returns the links that begin next: those of one source that are ready, and of which
// none is at work. While members are, whose links are not ready yet, links of a large fleet wait
// until a part of its source's is. A rotation renews members first, and then links.
func (w *waveRun) nextLinks(members bool, sources map[string]bool) []fleet.Link {
	if members && w.in.Rotate != nil {
		return nil
	}
	for _, links := range fleet.BySource(w.readyLinks(w.n)) {
		if source := links[0].From; !sources[source] && (!members || len(links)*mostParts >= w.linksOf[source]) {
			return links
		}
	}
	return nil
}
