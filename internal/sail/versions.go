package sail

import (
	"fmt"
	"slices"
)

// version holds a version of Istio as Sail names it: v1.31.3.
type version struct{ major, minor, patch int }

func (v version) String() string { return fmt.Sprintf("v%d.%d.%d", v.major, v.minor, v.patch) }

// parse reads a version. An alias, such as v1.31-latest, is none.
func parse(s string) (v version, ok bool) {
	n, err := fmt.Sscanf(s, "v%d.%d.%d", &v.major, &v.minor, &v.patch)
	return v, err == nil && n == 3 && v.String() == s
}

// NewestOfEachMinor returns the newest patch of each minor release, newest first. Sail
// lists every patch that it ever installed, and aliases.
func NewestOfEachMinor(known []string) (out []string) {
	newest := map[[2]int]int{}
	for _, s := range known {
		if v, ok := parse(s); ok {
			minor := [2]int{v.major, v.minor}
			newest[minor] = max(newest[minor], v.patch)
		}
	}
	minors := make([][2]int, 0, len(newest))
	for m := range newest {
		minors = append(minors, m)
	}
	slices.SortFunc(minors, func(a, b [2]int) int { return slices.Compare(b[:], a[:]) })
	for _, m := range minors {
		out = append(out, version{m[0], m[1], newest[m]}.String())
	}
	if out == nil {
		return known
	}
	return out
}
