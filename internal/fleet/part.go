package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// Part returns what the inventory of one cluster holds of the fleet: the settings,
// the cluster itself, its links and the clusters at their other ends. The links
// and clusters of kept left the fleet file and are not removed yet: the inventory
// keeps them, or nobody would ever remove them. A cluster that no link is left of, every
// inventory keeps.
func (f *Fleet) Part(cluster string, kept Stale) Fleet {
	part := *f
	part.Spec.Clusters, part.Spec.Links = nil, Links{List: []Link{}}
	near := map[string]bool{cluster: true}
	for _, l := range slices.Concat(f.Links(), kept.Links) {
		if l.From == cluster || l.To == cluster {
			part.Spec.Links.List = append(part.Spec.Links.List, l)
			near[l.From], near[l.To] = true, true
		}
	}
	for _, c := range kept.Clusters {
		near[c.Name] = near[c.Name] || !kept.linked(c.Name)
	}
	for _, c := range slices.Concat(f.Spec.Clusters, kept.Clusters) {
		if near[c.Name] {
			part.Spec.Clusters = append(part.Spec.Clusters, c)
		}
	}
	// The order of the file is nobody's to remember.
	slices.SortFunc(part.Spec.Clusters, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(part.Spec.Links.List, func(a, b Link) int { return strings.Compare(a.ID(), b.ID()) })
	return part
}

// linked tells whether a cluster has a link left.
func (s Stale) linked(cluster string) bool { return len(Touches(s.Links, cluster)) > 0 }

// Near returns what of s a cluster remembers: its links, the clusters at their other ends,
// and those that no link is left of, which would else be forgotten.
func (s Stale) Near(cluster string) (out Stale) {
	out.Links = Touches(s.Links, cluster)
	for _, c := range s.Clusters {
		if out.linked(c.Name) || !s.linked(c.Name) {
			out.Clusters = append(out.Clusters, c)
		}
	}
	return out
}

// Without returns the fleet without a member and its links. Whatever else names the member
// stays, such as the place of the root.
func (f Fleet) Without(name string) Fleet {
	here := func(l Link) bool { return l.From == name || l.To == name }
	switch {
	case f.Spec.Links.Groups != nil: // a group that chose another hub would bring links that nobody wants
		f.Spec.Links = Links{List: slices.DeleteFunc(f.Links(), here)}
	case f.Spec.Links.List != nil:
		f.Spec.Links.List = slices.DeleteFunc(slices.Clone(f.Spec.Links.List), here)
	case f.Spec.Links.Hub != nil && f.Spec.Links.Hub.Cluster == name:
		f.Spec.Links = Links{List: []Link{}}
	}
	f.Spec.Clusters = slices.DeleteFunc(slices.Clone(f.Spec.Clusters), func(c Cluster) bool { return c.Name == name })
	var waves []Wave
	for _, w := range f.Spec.Rollout.Waves {
		w.Clusters = slices.DeleteFunc(slices.Clone(w.Clusters), func(c string) bool { return c == name })
		if len(w.Clusters) > 0 {
			waves = append(waves, w)
		}
	}
	f.Spec.Rollout.Waves = waves
	return f
}

// Touches returns the links that begin or end at a cluster.
func Touches(links []Link, cluster string) []Link {
	return slices.DeleteFunc(slices.Clone(links), func(l Link) bool { return l.From != cluster && l.To != cluster })
}

// Stale lists what inventories hold and the fleet file does not have any more.
type Stale struct {
	Clusters []Cluster `json:"clusters,omitempty"`
	Links    []Link    `json:"links,omitempty"`
}

// Empty says whether there is nothing to remove.
func (s Stale) Empty() bool { return len(s.Clusters) == 0 && len(s.Links) == 0 }

// Without returns what is left of it where the other one is removed.
func (s Stale) Without(removed Stale) Stale {
	return Stale{
		Clusters: slices.DeleteFunc(slices.Clone(s.Clusters), func(c Cluster) bool {
			return slices.ContainsFunc(removed.Clusters, func(o Cluster) bool { return o.Name == c.Name })
		}),
		Links: slices.DeleteFunc(slices.Clone(s.Links), func(l Link) bool { return slices.Contains(removed.Links, l) }),
	}
}

// Stale returns all that the inventories hold and the fleet file does not. Each inventory of a mesh
// holds all of its clusters, so that what was seen is looked up and not searched.
func (f *Fleet) Stale(inventories []Fleet) Stale {
	var out Stale
	clusters, links := map[string]bool{}, map[Link]bool{}
	for _, c := range f.Spec.Clusters {
		clusters[c.Name] = true
	}
	for _, l := range f.Links() {
		links[l] = true
	}
	for _, r := range inventories {
		for _, c := range r.Spec.Clusters {
			if !clusters[c.Name] {
				clusters[c.Name] = true
				out.Clusters = append(out.Clusters, c)
			}
		}
		for _, l := range r.Links() {
			if !links[l] {
				links[l] = true
				out.Links = append(out.Links, l)
			}
		}
	}
	slices.SortFunc(out.Clusters, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Links, func(a, b Link) int { return strings.Compare(a.ID(), b.ID()) })
	return out
}

// Protects returns an error of what must not be removed: the fleet, or something of it.
// The fleet is protected by its file, or by what a cluster remembers of the last rollout,
// so that an older file or none is no way around it.
func (f *Fleet) Protects(inventories []Fleet) error {
	const undo = "set it to false in the fleet file and roll that out, then remove"
	if f.Spec.Protected {
		return fmt.Errorf("the fleet %s is protected by spec.protected of its fleet file; %s", f.Metadata.Name, undo)
	}
	for _, r := range inventories {
		if r.Spec.Protected {
			return fmt.Errorf("the fleet %s is protected by spec.protected of the last rollout; %s", f.Metadata.Name, undo)
		}
	}
	return nil
}
