package fleet

import (
	"slices"
	"time"
)

// Identity tells which cluster a member is: its name in the fleet file, and what stays
// when the name or the kubeconfig changes.
type Identity struct {
	Name string `json:"name"`
	// UID of namespace kube-system.
	UID     string `json:"uid"`
	Network string `json:"network,omitempty"`
}

// KnownRoot names the fleet's root and the place where it is kept.
type KnownRoot struct {
	// Fingerprint of the root's certificate.
	Fingerprint string `json:"fingerprint"`
	// Kept names the place for people.
	Kept string `json:"kept,omitempty"`
	// Next tells how far a change of the root is here. It is empty where there is none.
	Next NextRoot `json:"next,omitzero"`
	// Changed is when it took the place of another root here. It is zero for the first one.
	Changed time.Time `json:"changed,omitzero"`
}

// Memory holds what a cluster remembers beside the settings: which member it is, who
// its peers are, the fleet's root, and which fleet file was applied last.
type Memory struct {
	Member  Identity   `json:"member"`
	Peers   []Identity `json:"peers,omitempty"`
	Root    KnownRoot  `json:"root,omitzero"`
	Applied Applied    `json:"applied,omitzero"`
	// Left lists which of its peers and links had left that file, and were not removed yet.
	Left Stale `json:"left,omitzero"`
	// Forgotten lists the members that were lost and forgotten, for a file that still has them.
	Forgotten []Forgotten `json:"forgotten,omitempty"`
}

// Forgotten tells which member was forgotten, when, why and on whose behalf.
type Forgotten struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Request
}

// Forget returns the memory without a peer, but for when and why it was forgotten.
func (m Memory) Forget(f Forgotten) Memory {
	m.Peers = slices.DeleteFunc(slices.Clone(m.Peers), func(p Identity) bool { return p.Name == f.Name })
	m.Left = m.Left.Without(Stale{Clusters: []Cluster{{Name: f.Name}}, Links: Touches(m.Left.Links, f.Name)})
	m.Forgotten = append(slices.DeleteFunc(slices.Clone(m.Forgotten), func(o Forgotten) bool { return o.Name == f.Name }), f)
	return m
}

// Rebuilt lists the members, by name, that are other clusters now than they were when
// the memory was written.
func (m Memory) Rebuilt(now Memory) (out []string) {
	before := append([]Identity{m.Member}, m.Peers...)
	for _, is := range append([]Identity{now.Member}, now.Peers...) {
		if slices.ContainsFunc(before, func(was Identity) bool {
			return was.Name == is.Name && was.UID != "" && is.UID != "" && was.UID != is.UID
		}) {
			out = append(out, is.Name)
		}
	}
	return out
}
