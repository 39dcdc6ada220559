package fleet

import (
	"bytes"
	"slices"
	"strings"
)

// Remembered holds what one cluster remembers of its fleet.
type Remembered struct {
	Part   Fleet
	Memory Memory
}

// Assemble returns the fleet as it was applied last, from what its members remember, and
// which rollout that was. Where they disagree, the newest decides. differ names the
// members that remember anything else than was applied last: the rollout did not reach
// them, or somebody changed their inventory.
func Assemble(all []Remembered) (f Fleet, last Applied, differ []string) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Remembered) int {
		if n := b.Memory.Applied.Generation - a.Memory.Applied.Generation; n != 0 {
			return int(max(-1, min(n, 1)))
		}
		return strings.Compare(a.Memory.Member.Name, b.Memory.Member.Name)
	})
	f, last = all[0].Part, all[0].Memory.Applied
	f.Spec.Clusters, f.Spec.Links = newestClusters(all), Links{List: newestLinks(all)}
	f.Spec.Rollout.Waves = wavesOf(f.Spec.Rollout.Waves, f.Spec.Clusters)
	f.SetDefaults()
	for _, r := range all {
		want := f.Part(r.Memory.Member.Name, r.Memory.Left)
		r.Part.SetDefaults() // it may be of a release that knew fewer settings
		if !r.Memory.Applied.Same(last) || !same(want, r.Part) {
			differ = append(differ, r.Memory.Member.Name)
		}
	}
	slices.Sort(differ)
	return f, last, differ
}

// newestClusters returns each cluster as the newest memory has it that names it, without
// those that had left the fleet file by then.
func newestClusters(all []Remembered) (out []Cluster) {
	decided := map[string]bool{}
	for _, r := range all {
		for _, c := range r.Part.Spec.Clusters {
			if decided[c.Name] {
				continue
			}
			decided[c.Name] = true
			if !slices.ContainsFunc(r.Memory.Left.Clusters, func(o Cluster) bool { return o.Name == c.Name }) {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// newestLinks returns the links that the newer one of their two ends remembers, without
// those that had left the fleet file by then.
func newestLinks(all []Remembered) []Link {
	out, decided := []Link{}, map[string]bool{}
	for _, r := range all { // the newest first
		here := r.Memory.Member.Name
		for _, l := range r.Part.Links() {
			other := l.From
			if other == here {
				other = l.To
			}
			if !decided[other] && !slices.Contains(r.Memory.Left.Links, l) {
				out = append(out, l)
			}
		}
		decided[here] = true
	}
	slices.SortFunc(out, func(a, b Link) int { return strings.Compare(a.ID(), b.ID()) })
	return out
}

// wavesOf returns the waves without clusters that nobody remembers any more.
func wavesOf(waves []Wave, clusters []Cluster) (out []Wave) {
	for _, w := range waves {
		w.Clusters = slices.DeleteFunc(slices.Clone(w.Clusters), func(name string) bool {
			return !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.Name == name })
		})
		if len(w.Clusters) > 0 {
			out = append(out, w)
		}
	}
	return out
}

// same tells whether two parts of a fleet are equal.
func same(a, b Fleet) bool {
	return bytes.Equal(asJSON(a), asJSON(b))
}
