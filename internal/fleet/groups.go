package fleet

import "fmt"

// Group links its clusters with each other, in both directions, and by one of them with the hubs
// of the other groups: in a fleet of many regions, a region does not read every other one.
type Group struct {
	// Clusters of the group. A cluster is in one group; one that is in none has no links.
	Clusters []string `json:"clusters"`
	// Hub is the cluster that reads the hubs of the other groups, and is read by them. Default:
	// the first of the clusters.
	Hub string `json:"hub,omitempty"`
}

// hub returns the hub of the group with its default, or nothing for a group of nobody.
func (g Group) hub() string {
	if g.Hub == "" && len(g.Clusters) > 0 {
		return g.Clusters[0]
	}
	return g.Hub
}

// ofGroups calls add for each link of the groups.
func (l Links) ofGroups(add func(from, to string)) {
	var hubs []string
	for _, g := range l.Groups {
		hubs = append(hubs, g.hub())
		meshOf(g.Clusters, add)
	}
	meshOf(hubs, add)
}

// meshOf calls add for each two clusters, in both directions.
func meshOf(names []string, add func(from, to string)) {
	for _, a := range names {
		for _, b := range names {
			if a != b {
				add(a, b)
			}
		}
	}
}

func validateGroups(f *Fleet, ps *problems) {
	if f.Spec.Links.Groups != nil && len(f.Spec.Links.Groups) == 0 {
		ps.add("spec.links.groups", "there is no group; want [{clusters: […]}], or links: [] for a fleet without links")
	}
	in := map[string]string{}
	for i, g := range f.Spec.Links.Groups {
		at := fmt.Sprintf("spec.links.groups[%d]", i)
		if len(g.Clusters) == 0 {
			ps.add(at+".clusters", "a group needs at least one cluster")
		}
		member := false
		for n, name := range g.Clusters {
			here := fmt.Sprintf("%s.clusters[%d]", at, n)
			known(f, ps, here, name)
			if first := in[name]; first != "" && name != "" {
				ps.add(here, "%s is in %s already; a cluster is in one group", name, first)
			}
			in[name] = at
			member = member || name == g.Hub
		}
		if g.Hub != "" && !member {
			ps.add(at+".hub", "%q is none of the clusters of this group", g.Hub)
		}
	}
}
