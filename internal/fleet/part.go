package fleet

import (
	"slices"
	"strings"
)

// Part is what one cluster remembers of the fleet: the settings, itself and the
// clusters that it has links with, and those links. kept are links of clusters
// that left the fleet file and have not been taken away yet: forgetting them
// would leave them behind for good.
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
	for _, c := range slices.Concat(f.Spec.Clusters, kept.Clusters) {
		if near[c.Name] {
			part.Spec.Clusters = append(part.Spec.Clusters, c)
		}
	}
	// How fast the work goes is not part of what was applied.
	part.Spec.Rollout = Rollout{}
	return part
}

// Stale is what the clusters remember and the fleet file no longer says.
type Stale struct {
	Clusters []Cluster `json:"clusters,omitempty"`
	Links    []Link    `json:"links,omitempty"`
}

// Empty says whether there is nothing to take away.
func (s Stale) Empty() bool { return len(s.Clusters) == 0 && len(s.Links) == 0 }

// Stale compares what clusters remember with what the file says.
func (f *Fleet) Stale(inventories []Fleet) Stale {
	var out Stale
	links := f.Links()
	for _, r := range inventories {
		for _, c := range r.Spec.Clusters {
			if _, ok := f.Cluster(c.Name); !ok && !slices.ContainsFunc(out.Clusters, func(o Cluster) bool { return o.Name == c.Name }) {
				out.Clusters = append(out.Clusters, c)
			}
		}
		for _, l := range r.Links() {
			if !slices.Contains(links, l) && !slices.Contains(out.Links, l) {
				out.Links = append(out.Links, l)
			}
		}
	}
	slices.SortFunc(out.Clusters, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Links, func(a, b Link) int { return strings.Compare(a.ID(), b.ID()) })
	return out
}
