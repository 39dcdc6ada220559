package activities

import (
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// series counts the series of each metric in a registry.
func series(t *testing.T, r *prom.Registry) map[string]int {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	out := map[string]int{}
	for _, f := range families {
		out[f.GetName()] = len(f.GetMetric())
	}
	return out
}

func TestMetrics_ForgetWhatACleanupRemoved_NotWhatAnUndoOrADryRunDid(t *testing.T) {
	r := prom.NewRegistry()
	m := NewMetrics(r)
	for _, l := range []fleet.Link{{From: "east", To: "west"}, {From: "east", To: "north"}, {From: "west", To: "east"}} {
		m.link("prod", l, l.To == "west")
	}
	for _, c := range []string{"east", "west"} {
		m.end("prod", c, endIntermediate, api.CertificateFacts{NotAfter: time.Now()})
		m.end("prod", c, endKubeconfig, api.CertificateFacts{NotAfter: time.Now()})
	}
	m.end("prod", "", endRoot, api.CertificateFacts{NotAfter: time.Now()})
	m.end("prod", "north", endKubeconfig, api.CertificateFacts{}) // of an exec plugin nobody knows
	for _, to := range []string{"east", "west"} {
		m.token("prod", fleet.Link{From: "north", To: to}, api.TokenFacts{Issued: time.Unix(0, 0), Ends: time.Unix(900, 0)})
		m.token("prod", fleet.Link{From: "south", To: to}, api.TokenFacts{Issued: time.Unix(0, 0), Ends: time.Unix(900, 0)})
	}
	m.token("prod", fleet.Link{From: "south", To: "west"}, api.TokenFacts{Issued: time.Now()}) // it does not end any more
	require.Equal(t, map[string]int{"landbridge_link_proven": 3, "landbridge_not_after_timestamp_seconds": 5, "landbridge_token_not_after_timestamp_seconds": 3,
		"landbridge_token_due_timestamp_seconds": 3}, series(t, r))

	east := api.RemoveInput{ClusterRef: api.ClusterRef{Fleet: "prod", Cluster: "east"}}
	undo, dry := east, east
	undo.OnlyRun, dry.DryRun = "run", true
	for _, in := range []api.RemoveInput{undo, dry, {ClusterRef: api.ClusterRef{Fleet: "other", Cluster: "east"}}} {
		m.forget("RemoveEgressGateway", in, nil)
		m.forget("RemoveCACerts", in, nil)
		m.forget("RemoveReaderToken", in, nil)
	}
	m.forget("RemoveEgressGateway", east, &kube.DeadEndError{Reason: "it stays"})
	require.Equal(t, map[string]int{"landbridge_link_proven": 3, "landbridge_not_after_timestamp_seconds": 5, "landbridge_token_not_after_timestamp_seconds": 3,
		"landbridge_token_due_timestamp_seconds": 3}, series(t, r))

	one := east
	one.Link = "east.north"
	m.forget("RemoveEgressGateway", one, nil)
	require.Equal(t, 2, series(t, r)["landbridge_link_proven"])
	m.forget("RemoveEgressGateway", east, nil)
	require.Equal(t, 1, series(t, r)["landbridge_link_proven"])
	m.forget("RemoveCACerts", east, nil)
	require.Equal(t, 3, series(t, r)["landbridge_not_after_timestamp_seconds"])
	m.forget("RemoveRoot", api.RemoveInput{ClusterRef: api.ClusterRef{Fleet: "prod"}}, nil)
	require.Equal(t, 2, series(t, r)["landbridge_not_after_timestamp_seconds"])

	one.Link = "north.east"
	m.forget("RemoveReaderToken", one, nil)
	require.Equal(t, 2, series(t, r)["landbridge_token_due_timestamp_seconds"])
	m.forget("RemoveReaderToken", east, nil)
	require.Equal(t, 1, series(t, r)["landbridge_token_not_after_timestamp_seconds"])

	for _, outcome := range []string{done, api.TypeUnreachable, api.TypeDrift} {
		m.reach(east.ClusterRef, outcome)
		m.reach(api.ClusterRef{Fleet: "prod"}, outcome) // the root is no cluster
	}
	require.Equal(t, 1, series(t, r)["landbridge_cluster_reached"])
	families, err := r.Gather()
	require.NoError(t, err)
	require.Equal(t, "landbridge_cluster_reached", families[0].GetName())
	require.Zero(t, families[0].GetMetric()[0].GetGauge().GetValue())
	m.forget("RemoveInventory", east, nil)
	require.Zero(t, series(t, r)["landbridge_cluster_reached"])
}
