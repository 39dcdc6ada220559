package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// memory returns what a member is to remember of itself, of its peers, which are in its
// part of the fleet, of the root, and of the fleet file.
func (r *rollout) memory(name string, part fleet.Fleet) fleet.Memory {
	out := fleet.Memory{Root: fleet.KnownRoot{Fingerprint: r.root.Facts.Fingerprint, Kept: r.root.Kept}, Applied: r.applied, Left: r.stale.Near(name), Forgotten: r.forgotten()}
	if out.Root.Next = r.next; r.next.Fingerprint != "" {
		if was := r.member(name).check.Memory.Root; was.Next.Fingerprint != "" {
			out.Root.Next = was.Next // since when it is so there
		}
	}
	for _, c := range part.Spec.Clusters {
		if id := r.identity(c); c.Name == name {
			out.Member = id
		} else {
			out.Peers = append(out.Peers, id)
		}
	}
	return out
}

// forgotten lists the members of the fleet file that were forgotten and did not come back.
func (r *rollout) forgotten() (out []fleet.Forgotten) {
	for _, c := range r.unansweredMembers() {
		for _, m := range r.memories() {
			if i := slices.IndexFunc(m.Forgotten, func(f fleet.Forgotten) bool { return f.Name == c.Name }); i >= 0 {
				out = append(out, m.Forgotten[i])
				break
			}
		}
	}
	return out
}

// nameForgotten adds to the failures of silent members which of them were forgotten.
func (r *rollout) nameForgotten(silent []api.Failure) {
	for _, gone := range r.forgotten() {
		for i := range silent {
			if silent[i].Unit == api.Member(gone.Name) {
				silent[i].Message += fmt.Sprintf("; it was forgotten at %s (%s): take it out of the fleet file", gone.At.Format(time.RFC3339), cmp.Or(gone.Line(), "no reason given"))
			}
		}
	}
}

// identity returns which cluster a member is now or, where it left the fleet file, which
// it was when one of the others last saw it.
func (r *rollout) identity(c fleet.Cluster) fleet.Identity {
	id := fleet.Identity{Name: c.Name, Network: c.Network}
	if u := r.member(c.Name); u != nil && u.check.UID != "" {
		id.UID = u.check.UID
		return id
	}
	for _, m := range r.memories() {
		for _, was := range append([]fleet.Identity{m.Member}, m.Peers...) {
			if was.Name == c.Name && was.UID != "" {
				id.UID = was.UID
			}
		}
	}
	return id
}

// memories returns what the members of the fleet file remember, in its order.
func (r *rollout) memories() (out []fleet.Memory) {
	for _, c := range r.in.Fleet.Spec.Clusters {
		if m := r.member(c.Name).check.Memory; m.Member.Name != "" {
			out = append(out, m)
		}
	}
	return out
}

// renamed finds the clusters that another member remembers under another name. Their own
// inventories are gone, or they would have been refused by those.
func (r *rollout) renamed() (out []api.Failure) {
	type memory struct{ by, name string }
	remembered := map[string]memory{}
	for _, m := range r.memories() {
		for _, peer := range m.Peers {
			remembered[peer.UID] = memory{m.Member.Name, peer.Name}
		}
	}
	for _, c := range r.in.Fleet.Spec.Clusters {
		uid := r.member(c.Name).check.UID
		if was, ok := remembered[uid]; ok && uid != "" && was.name != c.Name {
			out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypeOtherMember, Message: fmt.Sprintf(
				"cluster %s remembers it as %s. A control plane that runs is not renamed, and what belongs to %s would be removed; call it %s again, or clean the fleet up first",
				was.by, was.name, was.name, was.name)})
		}
	}
	return out
}

// takenOver finds members that Istio would know by the name of one that left the fleet file
// and is still there: every istiod would take the two for one cluster.
func (r *rollout) takenOver() (out []api.Failure) {
	if r.prunes() && r.pruneFirst() {
		return nil
	}
	for _, c := range r.in.Fleet.Spec.Clusters {
		i := slices.IndexFunc(r.stale.Clusters, func(old fleet.Cluster) bool { return old.ID() == c.ID() })
		if i < 0 {
			continue
		}
		out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypeOtherMember, Message: fmt.Sprintf(
			"Istio knows %s, which left the fleet file and is still there, by the same name, %s: every istiod would take the two for one. Remove %s first (`landbridge rollout --prune` with spec.rollout.prune: first), or give the new one another clusterID",
			r.stale.Clusters[i].Name, c.ID(), r.stale.Clusters[i].Name)})
	}
	return out
}

// secondRoots finds members that know another root than the first one that knows any.
func (r *rollout) secondRoots() (out []api.Failure) {
	known := r.knownRoots()
	for i, other := range known {
		if i > 0 {
			out = append(out, api.Failure{Unit: api.Member(other.Cluster), Type: api.TypeRoot, Message: fmt.Sprintf(
				"it has the root %s, and cluster %s has %s: a fleet has one root; clean the cluster up that has the wrong one, then roll out again",
				other.Fingerprint, known[0].Cluster, known[0].Fingerprint)})
		}
	}
	return out
}

// knownRoots lists the roots that the members remember or run with, without doubles.
func (r *rollout) knownRoots() []api.MemberRoot {
	var members []api.ClusterCA
	for _, c := range r.in.Fleet.Spec.Clusters {
		check := r.member(c.Name).check
		members = append(members, api.ClusterCA{Name: c.Name, CheckIntermediateResult: api.CheckIntermediateResult{Known: check.Memory.Root, Root: check.Root}})
	}
	return knownBy(members)
}
