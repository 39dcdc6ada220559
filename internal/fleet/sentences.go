package fleet

import (
	"regexp"
	"strconv"
)

// ofCluster finds a cluster in a path, by its index.
var ofCluster = regexp.MustCompile(`spec\.clusters\[(\d+)\]`)

// Sentences returns a sentence for each problem. A cluster that a source lists has no place in
// a file: it is named with its object.
func (e *InvalidError) Sentences(f Fleet) (out []string) {
	for _, p := range e.Problems {
		at := p.Path
		if at != "" {
			at += ": "
		}
		out = append(out, ofCluster.ReplaceAllStringFunc(at+p.Message, func(path string) string {
			i, err := strconv.Atoi(ofCluster.FindStringSubmatch(path)[1])
			if err != nil || i >= len(f.Spec.Clusters) || f.Spec.Clusters[i].From == "" {
				return path
			}
			return "cluster " + f.Spec.Clusters[i].Name + " (" + f.Spec.Clusters[i].From + ")"
		}))
	}
	return out
}
