package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rootChange says what a run does about the change of the root: it brings every member from one
// phase to the next, or finishes what another run began.
type rootChange struct {
	// old and next are the fingerprints of the roots, and oldAt names a member with the old one.
	old, next, oldAt string
	// proof has what a member needs to accept the next root.
	proof    api.NextRoot
	from, to fleet.RootPhase
	// signed is when the next root may have signed last for any workload.
	signed time.Time
	// since is when the phase began that all members are in. It is zero where they are between
	// two.
	since time.Time
	// changed is when the last change of the root ended.
	changed time.Time
	// onAt is when the next run can go on.
	onAt time.Time
	// there lists the members that have ended the phase already.
	there map[string]bool
	// tidies says that every member has, and that only the old root is still in its place.
	tidies bool
}

// planRootChange decides what this run does about the root, or tells why it cannot.
func (r *rollout) planRootChange(ctx workflow.Context) []api.Failure {
	if refused := r.keepsItsRoot(); len(refused) > 0 {
		return refused
	}
	stages, next := r.stages()
	c, undo := summedUp(stages, next), r.in.Rotate.Root.Undo
	switch last := slices.ContainsFunc(stages, func(s stage) bool { return s.phase == fleet.RootReplaced }); {
	case next == "" && undo:
		return noRootChange(api.Root(), "no change of the root is under way, or it is over: there is nothing to undo")
	case next == "" && r.leftBehind(ctx, c):
		r.change = c
		return nil
	case undo && last:
		return noRootChange(api.Root(), "the last phase has begun, which cannot be undone: some clusters do not trust the old root any more; `landbridge rotate %s --root` finishes it", r.Fleet)
	}
	c.choose(stages, undo)
	life := r.in.Rotate.Root.WorkloadLifetime
	// A command that is repeated, since its answer was lost, is not to begin another change.
	if wait := c.changed.Add(life); next == "" && workflow.Now(ctx).Before(wait) {
		return noRootChange(api.Root(), "it was changed at %s, and nothing of that is left to do: another change can begin after %s, or with --workload-lifetime 0", c.changed.UTC().Format(time.RFC3339), wait.UTC().Format(time.RFC3339))
	}
	if wait := c.untilSpread(life); workflow.Now(ctx).Before(wait) {
		return noRootChange(api.Root(), "workloads may have certificates of before the phase in which %s: go on after %s, or restart every workload of the mesh and give --workload-lifetime 0",
			c.from, wait.UTC().Format(time.RFC3339))
	}
	r.change = c
	return nil
}

// summedUp notes what the members know of the two roots, and since when.
func summedUp(stages []stage, next string) *rootChange {
	c := &rootChange{next: next, old: stages[0].root.Fingerprint, oldAt: stages[0].name, there: map[string]bool{}}
	for _, s := range stages {
		if s.root.Next.Signed.After(c.signed) {
			c.signed = s.root.Next.Signed
		}
		if s.phase != fleet.RootReplaced || !s.done {
			c.old, c.oldAt = s.root.Fingerprint, s.name
		}
		if s.root.Next.Since.After(c.since) {
			c.since = s.root.Next.Since
		}
		if s.root.Changed.After(c.changed) {
			c.changed = s.root.Changed
		}
	}
	return c
}

// leftBehind says whether a change is over in every member, while its old root is still in the
// place that keeps the root: the run before could not remove it. Without this look, the same
// command would begin another change.
func (r *rollout) leftBehind(ctx workflow.Context, c *rootChange) bool {
	kept, err := fleetCall(ctx, preflight(), stepPreflight, a.CheckRoot, api.CheckRootInput{RootRef: r.in.RootRef(r.run)})
	if is := kept.Facts.Fingerprint; err != nil || is == "" || is == c.old { // what is wrong there, the root's step tells
		return false
	}
	c.old, c.next, c.from, c.to, c.tidies = kept.Facts.Fingerprint, c.old, fleet.RootSigns, fleet.RootReplaced, true
	for _, m := range r.memories() {
		c.there[m.Member.Name] = true
	}
	return true
}

// choose decides between which phases the members are brought on or back: those between two are
// brought to that of the others first.
func (c *rootChange) choose(stages []stage, undo bool) {
	lo, hi, between := stages[0].phase, stages[0].phase, false
	for _, s := range stages {
		lo, hi, between = min(lo, s.phase), max(hi, s.phase), between || !s.done
	}
	if between && lo == hi { // each is between two phases
		if backwards := hi == fleet.RootAlone || hi == fleet.RootTrusted && !c.signed.IsZero(); backwards {
			hi++
		} else {
			lo--
		}
	}
	switch {
	case lo != hi && undo:
		c.from, c.to, c.since = hi, lo, time.Time{}
	case lo != hi:
		c.from, c.to, c.since = lo, hi, time.Time{}
	case undo:
		c.from, c.to = hi, hi-1
	default:
		c.from, c.to = hi, hi+1
	}
	for _, s := range stages {
		c.there[s.name] = s.done && s.phase == c.to
	}
}

// untilSpread returns when what a phase gave to workloads is everywhere, where the next one
// needs that.
func (c *rootChange) untilSpread(life time.Duration) time.Time {
	switch {
	case c.since.IsZero(), c.from == fleet.RootAlone:
		return time.Time{} // the way has been begun, or nothing had to spread
	case c.to > c.from:
		return c.since.Add(life)
	case c.to == fleet.RootAlone && !c.signed.IsZero():
		return c.signed.Add(life) // until then somebody may have a certificate of the next root
	}
	return time.Time{} // everybody trusts both
}

// known returns what a member remembers of the phase.
func (c *rootChange) known(kept string, done bool) fleet.KnownRoot {
	switch {
	case done && c.to == fleet.RootAlone:
		return fleet.KnownRoot{Fingerprint: c.old, Kept: kept}
	case done && c.to == fleet.RootReplaced:
		return fleet.KnownRoot{Fingerprint: c.next, Kept: kept}
	}
	return fleet.KnownRoot{Fingerprint: c.old, Kept: kept, Next: fleet.NextRoot{Fingerprint: c.next, Phase: c.to, Done: done, Signed: c.signed}}
}

// rootChanged tells where the change of the root is, where this run ended a phase everywhere.
func (r *rollout) rootChanged() *api.RootChanged {
	c := r.change
	if c == nil || len(r.failed()) > 0 || slices.ContainsFunc(r.list, func(u *unit) bool { _, member := u.Unit.Member(); return member && !u.Removal && u.State != api.Done }) {
		return nil
	}
	return &api.RootChanged{Old: c.old, Next: c.next, From: c.from, To: c.to, OnAt: c.onAt}
}
