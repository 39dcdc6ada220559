package workflows

import (
	"fmt"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// stage tells how far a member is in the change of the root.
type stage struct {
	name  string
	root  fleet.KnownRoot
	phase fleet.RootPhase
	done  bool
}

// stages lists how far the members are that remember the fleet, in its order, and which root is
// to take the place of theirs.
func (r *rollout) stages() (out []stage, next string) {
	for _, m := range r.memories() {
		if m.Root.Next.Fingerprint != "" {
			next = m.Root.Next.Fingerprint
		}
	}
	for _, m := range r.memories() {
		s := stage{m.Member.Name, m.Root, m.Root.Next.Phase, m.Root.Next.Done}
		if m.Root.Next.Fingerprint == "" {
			s.done = true
			if next != "" && m.Root.Fingerprint == next {
				s.phase = fleet.RootReplaced
			}
		}
		out = append(out, s)
	}
	return out, next
}

// inRootChange says whether the root is being changed. A rollout and a rotation of intermediates
// go on with both roots where every member is equally far; where they are not, they would have to
// guess whether the phase goes on or back, and are refused. Tokens have nothing to do with roots.
func (r *rollout) inRootChange() (out []api.Failure, changing bool) {
	stages, next := r.stages()
	if next == "" {
		return nil, false
	}
	if r.in.Rotate.What() == api.RenewsTokens {
		return nil, true
	}
	first := stages[0]
	for _, s := range stages {
		if !s.done || s.phase != first.phase {
			return []api.Failure{{Unit: api.Root(), Type: api.TypePreflight, Message: fmt.Sprintf(
				"the root is being changed to %s, and the clusters are not equally far: `landbridge rotate %s --root` goes on, `landbridge rotate %s --root --undo` goes back; only tokens are renewed until then", next, r.Fleet, r.Fleet)}}, true
		}
	}
	r.next = first.root.Next
	return nil, true
}

// keepsItsRoot tells why the root cannot be changed, whatever the phase, and the way out.
func (r *rollout) keepsItsRoot() []api.Failure {
	if ca := r.in.Fleet.Spec.CA; !ca.Managed() {
		return noRootChange(api.Root(), "the clusters of the fleet %s have existing CAs (spec.ca.manage: false), and Landbridge has no root of them to change: whoever made these CAs has every cluster trust the next root beside the old one, then has the next one sign, and then removes the old one; nothing was changed", r.Fleet)
	} else if !ca.KeepsRoot() {
		return noRootChange(api.Root(), "the root of the fleet %s is its issuer's (spec.ca.issuer): Landbridge has no key of it that could vouch for another root, and the clusters accept none without. Under another root of the issuer the fleet begins anew: clean it up, then roll it out with that one; nothing was changed", r.Fleet)
	}
	for _, c := range r.in.Fleet.Spec.Clusters {
		switch u := r.member(c.Name); {
		case !u.answered:
			return noRootChange(u.Unit, "it does not answer, and a root is changed in every cluster or in none: wait for it, or `landbridge forget %s --cluster %s` if it is lost", r.Fleet, c.Name)
		case u.check.Memory.Member.Name == "":
			return noRootChange(u.Unit, "it does not remember the fleet: roll the fleet out first")
		case u.check.CA != nil:
			return noRootChange(u.Unit, "its istiod has a CA that is not Landbridge's, and would be left behind by another root: remove Secret %s/%s where there is one, and roll out, which gives it one", r.ref(c.Name).Namespace, fleet.CACerts)
		}
	}
	if left := r.in.Fleet.Stale(r.inventories()).Clusters; len(left) > 0 {
		return noRootChange(api.Root(), "cluster %s left the fleet file and is still there, and another root would shut it out of the mesh: remove it (`landbridge rollout --prune`), or roll out a file that has it", left[0].Name)
	}
	return nil
}

func noRootChange(of api.Unit, format string, args ...any) []api.Failure {
	return []api.Failure{{Unit: of, Type: api.TypePreflight, Message: fmt.Sprintf(format, args...)}}
}
