package activities

import (
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

func TestMetrics_OfWhatHoldsAFleet_FollowWhatWasSeenLast(t *testing.T) {
	h := newHeld(prom.NewRegistry())
	since := time.Unix(1000, 0)
	h.change("prod", api.LastChange{Running: true, Since: since, Phase: "clusters"})
	h.change("test", api.LastChange{Running: true, Since: since, Phase: "links"})
	h.change("prod", api.LastChange{Running: true, Since: since, Phase: api.PhaseApproval})
	h.change("test", api.LastChange{Since: since, Phase: "done"}) // it has ended
	require.NoError(t, testutil.CollectAndCompare(h.since, strings.NewReader(`
# HELP landbridge_change_since_timestamp_seconds Since when a rollout, a cleanup or another change of a fleet runs, in seconds since 1970, and in which phase it is, as the fleet's schedules saw it last. None where none runs.
# TYPE landbridge_change_since_timestamp_seconds gauge
landbridge_change_since_timestamp_seconds{fleet="prod",phase="waiting for approval"} 1000
`)))

	east := api.ClusterRef{Fleet: "prod", Cluster: "east"}
	h.lock(api.ClusterRef{Fleet: "prod"}, done) // a step that is on no cluster
	require.Zero(t, testutil.CollectAndCount(h.locked))
	h.lock(east, api.TypeLocked)
	h.lock(east, api.TypeUnreachable) // tells nothing of it
	require.Equal(t, 1.0, testutil.ToFloat64(h.locked))
	h.lock(east, done)
	require.Zero(t, testutil.ToFloat64(h.locked))
}
