package chart

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/fleet"
)

// readsSince counts how often the Secrets of releases were read since so many requests.
func (east *world) readsSince(n int) (reads, now int) {
	all := east.server.Requests()
	for _, r := range all[n:] {
		if r.Resource == "secrets" && r.Namespace == "istio-system" && (r.Verb == "list" || r.Verb == "get") {
			reads++
		}
	}
	return reads, len(all)
}

func TestReleases_InstalledUpgradedAndRemoved_AreReadOnceEach(t *testing.T) {
	east, v1 := newWorld(t), aChart(t, "1.0.0")
	require.Equal(t, both(fleet.Create), east.ensure("run-1", v1, 443))
	reads, n := east.readsSince(0)
	require.Equal(t, 1, reads, "an install")
	require.Equal(t, both(fleet.Update), east.ensure("run-2", v1, 444))
	reads, n = east.readsSince(n)
	require.Equal(t, 1, reads, "an upgrade")
	w := east.writer("run-3")
	require.NoError(t, east.open(w).Remove(t.Context(), ""))
	require.Equal(t, both(fleet.Remove), w.Changes().All())
	reads, _ = east.readsSince(n)
	require.Equal(t, 1, reads, "a removal")
}
