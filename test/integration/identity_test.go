package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What people ordinarily do with a fleet file and its worker: rename a cluster, swap two
// kubeconfigs, move the root's directory. None of it touches a mesh that works.
func TestIdentity_RenameSwapOrAnotherRoot_IsRefusedAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.unchanged("east", "west")
	names := []string{"east", "west"}
	file := w.file(names)
	w.must("rollout", "-f", file)
	same := w.unchanged("east", "west")

	for _, c := range []struct {
		what, file string
		want       []string
	}{
		{"renamed", w.file(names, "name: west,", "name: west-1,"), []string{"it is the fleet's member west"}},
		{"swapped", w.file(names, "east.kubeconfig", "first", "west.kubeconfig", "east.kubeconfig", "path: first", "path: west.kubeconfig"),
			[]string{"it is the fleet's member east", "it is the fleet's member west"}},
	} {
		for _, command := range [][]string{{"plan"}, {"rollout", "--prune"}} {
			out, code := w.try(append(command, "-f", c.file)...)
			require.Equal(t, 2, code, "%s, %s: %s", c.what, command, out)
			for _, want := range c.want {
				require.Contains(t, out, want, c.what)
			}
			same()
		}
	}

	roots := filepath.Join(w.dir, "roots")
	require.NoError(t, os.Rename(roots, roots+"-moved"))
	for _, command := range []string{"plan", "rollout"} {
		out, code := w.try(command, "-f", file)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "no second root is made")
		same()
	}
	require.NoError(t, os.RemoveAll(roots))
	require.NoError(t, os.Rename(roots+"-moved", roots))
	w.must("rollout", "-f", file)
	w.must("cleanup", "-f", file)
	before()
}
