package integration

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// What a rollout of two clusters in mesh, its repetition and its cleanup may ask of both API
// servers: 327, 162 and 421 were counted, and a busy machine looks a little more often.
const (
	rolloutOfTwo    = 345
	repetitionOfTwo = 170
	cleanupOfTwo    = 445
)

// atMost runs a landbridge command that has to end with exit code 0 and takes at most so many
// requests to the clusters together, and returns what it printed. Where it takes more, the
// failure says which.
func (w *world) atMost(limit int, clusters []string, command ...string) string {
	t := w.t
	t.Helper()
	since := map[string]int{}
	for _, c := range clusters {
		_, since[c] = w.requests(c, 0)
	}
	out := w.must(command...)
	all, sum := map[string]int{}, 0
	for _, c := range clusters {
		counts, _ := w.requests(c, since[c])
		for what, n := range counts {
			all[what] += n
			sum += n
		}
	}
	t.Logf("%s: %d requests\n%s", strings.Join(command, " "), sum, most(all))
	require.LessOrEqual(t, sum, limit, "landbridge %s asked for\n%s", command[0], most(all))
	return out
}

// most lists what was asked for, the most frequent first.
func most(counts map[string]int) string {
	lines := []string{}
	for _, what := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	}) {
		lines = append(lines, fmt.Sprintf("%4d %s", counts[what], what))
	}
	return strings.Join(lines, "\n")
}
