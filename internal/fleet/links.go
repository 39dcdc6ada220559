package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
)

// Link allows one direction of access: the istiod of one cluster reads the
// kube-apiserver of another one.
type Link struct {
	// From names the source: the cluster whose istiod reads.
	From string `json:"from"`
	// To names the target: the cluster whose kube-apiserver is read.
	To string `json:"to"`
}

// ID returns the value of the label landbridge.dev/link: <source>.<target>.
func (l Link) ID() string { return l.From + "." + l.To }

// String writes a link as people read it.
func (l Link) String() string { return l.From + " -> " + l.To }

// BySource groups sorted links by their source.
func BySource(links []Link) [][]Link {
	var out [][]Link
	for i, l := range links {
		if i == 0 || links[i-1].From != l.From {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], l)
	}
	return out
}

// Links chooses the links of a fleet. Exactly one of the fields is set. In the file
// it is the word mesh, a mapping with hub or groups, or a list.
type Links struct {
	// Mesh links every cluster with every other one, in both directions.
	Mesh bool
	// Hub links one cluster with all others.
	Hub *Hub
	// Groups link their clusters with each other, and their hubs.
	Groups []Group
	// List names each link.
	List []Link
}

// Hub links one cluster with all others.
type Hub struct {
	// Cluster in the middle.
	Cluster string `json:"cluster"`
	// Direction of the links: out (the hub reads the others), in (the others read the
	// hub) or both. Default: both.
	Direction string `json:"direction,omitempty" jsonschema:"enum=both,enum=out,enum=in"`
}

const meshWord = "mesh"

// linksWanted says which forms links have.
const linksWanted = "mesh, hub: {cluster: …}, groups: [{clusters: […]}] or a list of {from, to}"

// MarshalJSON writes the links as a fleet file has them.
func (l Links) MarshalJSON() ([]byte, error) {
	switch {
	case l.Hub != nil:
		return json.Marshal(map[string]*Hub{"hub": l.Hub})
	case l.Groups != nil:
		return json.Marshal(map[string][]Group{"groups": l.Groups})
	case l.List != nil:
		return json.Marshal(l.List)
	case l.Mesh:
		return json.Marshal(meshWord)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (l *Links) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*l = Links{}
		return nil
	case string:
		if v == meshWord {
			*l = Links{Mesh: true}
			return nil
		}
	case []any:
		*l = Links{List: []Link{}}
		return json.Unmarshal(data, &l.List)
	case map[string]any:
		var form linksForm
		if err := json.Unmarshal(data, &form); err != nil {
			return err
		}
		if (form.Hub == nil) != (form.Groups == nil) {
			*l = Links{Hub: form.Hub, Groups: form.Groups}
			return nil
		}
	}
	return errors.New("want " + linksWanted)
}

// Links returns every link of the fleet, sorted by source and then target. It
// makes the list anew each time, of N*(N-1) links for a mesh of N clusters: call it
// once, not in a loop.
func (f *Fleet) Links() []Link {
	var out []Link
	add := func(from, to string) {
		if from != to {
			out = append(out, Link{From: from, To: to})
		}
	}
	l := f.Spec.Links
	switch {
	case l.Hub != nil:
		for _, c := range f.Spec.Clusters {
			if l.Hub.Direction != "in" {
				add(l.Hub.Cluster, c.Name)
			}
			if l.Hub.Direction != "out" {
				add(c.Name, l.Hub.Cluster)
			}
		}
	case l.Groups != nil:
		l.ofGroups(add)
	case l.Mesh:
		for _, a := range f.Spec.Clusters {
			for _, b := range f.Spec.Clusters {
				add(a.Name, b.Name)
			}
		}
	default:
		out = append(out, l.List...)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].From != out[j].From {
			return out[i].From < out[j].From
		}
		return out[i].To < out[j].To
	})
	return out
}

// Sources returns the clusters that have a link to this one, in the file's order. Unlike Links
// it may be called for each cluster.
func (f *Fleet) Sources(to string) (out []Cluster) {
	l, listed := f.Spec.Links, map[string]bool{}
	for _, link := range l.List {
		if link.To == to {
			listed[link.From] = true
		}
	}
	l.ofGroups(func(from, other string) {
		if other == to {
			listed[from] = true
		}
	})
	for _, c := range f.Spec.Clusters {
		reads := l.Mesh || listed[c.Name]
		if h := l.Hub; h != nil {
			reads = c.Name == h.Cluster && h.Direction != "in" || to == h.Cluster && h.Direction != "out"
		}
		if reads && c.Name != to {
			out = append(out, c)
		}
	}
	return out
}

func validateLinks(f *Fleet, ps *problems) {
	if h := f.Spec.Links.Hub; h != nil {
		known(f, ps, "spec.links.hub.cluster", h.Cluster)
		oneOf(ps, "spec.links.hub.direction", h.Direction, "both", "out", "in")
	}
	validateGroups(f, ps)
	seen := map[Link]string{}
	for i, l := range f.Spec.Links.List {
		at := fmt.Sprintf("spec.links[%d]", i)
		known(f, ps, at+".from", l.From)
		known(f, ps, at+".to", l.To)
		if l.From == l.To && l.From != "" {
			ps.add(at, "a link from %q to itself; a control plane reads its own API server anyway", l.From)
		}
		twice(ps, seen, l, at, "link")
	}
}
