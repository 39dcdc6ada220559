package workflows

import (
	"fmt"
	"slices"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// units lists all that has a state in a run, in the fleet's order: the root, the
// members, the links. Waves, counts and every table are derived from this one list.
type units struct {
	list []*unit
	by   map[api.Unit]*unit
	// moves counts the transitions, so that what can begin is looked for only after one.
	moves int
}

// unit holds what this run knows of a member, a link or the root.
type unit struct {
	api.UnitState
	of *units
	// wave is the index of its wave.
	wave int
	// failure tells how it failed, or why it was left out. decided says that somebody
	// decided to leave it out.
	failure *api.Failure
	decided bool
	// source tells that a link begins at a member.
	source bool
	// open says that the proof of a link found its egress gateway open to any pod.
	open bool
	// guideShutOut says that an adopted member lets the guide's gateways in no more.
	guideShutOut bool
	// Only members have check and result. answered says that the check was made. Only a plan
	// has changes.
	check    api.CheckClusterResult
	answered bool
	result   api.ClusterResult
	changes  []fleet.Change
}

// newUnits lists the root (where Landbridge issues it), the members and the links of a
// fleet, all pending.
func newUnits(f fleet.Fleet) *units {
	u := &units{by: map[api.Unit]*unit{}}
	if f.Spec.CA.Managed() {
		u.add(api.Root())
	}
	wave, waves := map[string]int{}, f.Waves()
	for n, w := range waves {
		for _, c := range w.Clusters {
			wave[c] = n
		}
	}
	name := func(n int) string {
		if len(f.Spec.Rollout.Waves) == 0 {
			return ""
		}
		return waves[n].Name
	}
	for _, c := range f.Spec.Clusters {
		m := u.add(api.Member(c.Name))
		m.wave, m.Wave = wave[c.Name], name(wave[c.Name])
	}
	for _, l := range f.Links() {
		m := u.add(api.LinkOf(l))
		m.wave = max(wave[l.From], wave[l.To])
		m.Wave = name(m.wave)
		if from, to := u.member(l.From), u.member(l.To); from != nil && to != nil { // a file that is refused may name others
			from.source = true
		}
	}
	return u
}

// add appends a pending unit, unless the list has it.
func (u *units) add(id api.Unit) *unit {
	if have, ok := u.by[id]; ok {
		return have
	}
	m := &unit{UnitState: api.UnitState{Unit: id, State: api.Pending}, of: u}
	u.list = append(u.list, m)
	u.by[id] = m
	return m
}

// get returns a unit of the list, or nil.
func (u *units) get(id api.Unit) *unit { return u.by[id] }

// member returns a member by name, or nil.
func (u *units) member(name string) *unit { return u.by[api.Member(name)] }

// move brings a unit into another state. A transition that CanBecome does not allow is
// a fault of the workflow's code: move panics, and Temporal retries the task.
func (m *unit) move(to api.State) {
	if !m.State.CanBecome(to) {
		panic(fmt.Sprintf("%s is %s and cannot become %s", m.Unit, m.State, to))
	}
	m.State = to
	m.of.moves++
	if !to.IsFailure() && to != api.Skipped {
		m.Message, m.failure = "", nil
	}
}

// end moves a unit that ran to done, or to the state that its error tells of.
func (m *unit) end(err error) {
	if err == nil {
		m.move(api.Done)
		return
	}
	m.fail(failureOf(m.Unit, err))
}

// fail moves a unit that ran to undone or failed, and notes how it failed.
func (m *unit) fail(f api.Failure) {
	if f.State == api.StateUndone || f.State == "" && f.Type == typeCanceled {
		m.move(api.Undone)
	} else {
		m.move(api.Failed)
	}
	m.failure, m.Message = &f, f.Message
}

// leaveOut skips a unit that has not begun, or that failed. by says that somebody
// decided so, and why tells the reason where nobody did.
func (m *unit) leaveOut(by bool, why string) {
	if !m.State.CanBecome(api.Skipped) {
		return
	}
	m.move(api.Skipped)
	m.decided, m.failure, m.Message = by, nil, ""
	if why != "" {
		m.failure, m.Message = &api.Failure{Unit: m.Unit, Type: string(api.Skipped), Message: why}, why
	}
}

// each returns the units that keep accepts, in their order.
func (u *units) each(keep func(*unit) bool) (out []*unit) {
	for _, m := range u.list {
		if keep(m) {
			out = append(out, m)
		}
	}
	return out
}

// failed returns the units that failed and can be retried.
func (u *units) failed() []*unit {
	return u.each(func(m *unit) bool { return m.State.IsFailure() && !m.Removal && m.Unit != api.Root() })
}

// failedBefore tells whether a unit of the waves before n failed.
func (u *units) failedBefore(n int) bool {
	return slices.ContainsFunc(u.failed(), func(m *unit) bool { return m.wave < n })
}

// nextMember returns the first pending member of the waves up to n, or nil.
func (u *units) nextMember(n int) *unit {
	i := slices.IndexFunc(u.list, func(m *unit) bool {
		_, member := m.Unit.Member()
		return member && m.State == api.Pending && m.wave <= n && !m.Removal
	})
	if i < 0 {
		return nil
	}
	return u.list[i]
}

// readyLinks returns the pending links of the waves up to n whose two clusters are done.
func (u *units) readyLinks(n int) (out []fleet.Link) {
	for _, m := range u.list {
		l, link := m.Unit.Link()
		if link && m.State == api.Pending && m.wave <= n && !m.Removal &&
			u.member(l.From).State == api.Done && u.member(l.To).State == api.Done {
			out = append(out, l)
		}
	}
	return out
}

// work tells whether a unit in the waves up to n can begin.
func (u *units) work(n int) bool { return u.nextMember(n) != nil || len(u.readyLinks(n)) > 0 }

// failures lists how units failed and why others were left out, in the order of units.
func (u *units) failures() (out []api.Failure) {
	for _, m := range u.list {
		if m.failure != nil {
			out = append(out, *m.failure)
		}
	}
	return out
}
