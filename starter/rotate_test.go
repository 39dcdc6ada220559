package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestRotated_ChoosesTheLinks(t *testing.T) {
	f := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}, Spec: fleet.Spec{Clusters: []fleet.Cluster{{Name: "east"}, {Name: "west"}, {Name: "north"}},
		Links: fleet.Links{List: []fleet.Link{{From: "east", To: "west"}, {From: "east", To: "north"}, {From: "north", To: "west"}}}}}
	for name, c := range map[string]struct {
		cluster, link string
		want          []fleet.Link
		problem       string
	}{
		"all":                       {"", "", nil, ""},
		"a source":                  {"east", "", f.Spec.Links.List[:2], ""},
		"a link":                    {"", "north.west", f.Spec.Links.List[2:], ""},
		"a cluster that reads none": {"west", "", nil, "cluster west of the fleet prod reads no other cluster"},
		"a cluster that is not one": {"south", "", nil, `the fleet prod has no cluster "south"`},
		"a link that is not one":    {"", "west.east", nil, "the fleet prod has no link west -> east"},
		"what is no link":           {"", "west", nil, "west"},
	} {
		got, err := rotated(f, c.cluster, c.link)
		if c.problem != "" {
			require.ErrorContains(t, err, c.problem, name)
			continue
		}
		require.NoError(t, err, name)
		require.ElementsMatch(t, c.want, got, name)
	}
}

func TestRotatedClusters_NamesOneOfTheFleet(t *testing.T) {
	f := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}, Spec: fleet.Spec{Clusters: []fleet.Cluster{{Name: "east"}}}}
	all, err := rotatedClusters(f, "")
	require.NoError(t, err)
	require.Empty(t, all)
	one, err := rotatedClusters(f, "east")
	require.NoError(t, err)
	require.Equal(t, []string{"east"}, one)
	_, err = rotatedClusters(f, "south")
	require.EqualError(t, err, `the fleet prod has no cluster "south"`)
}

func TestPrintIntermediates_TellsWhatIsProven(t *testing.T) {
	ends := time.Date(2027, 11, 30, 12, 0, 0, 0, time.Local)
	done := []api.ClusterDone{{Name: "east", Certificate: api.CertificateFacts{Fingerprint: "sha256:0", NotAfter: ends}}}
	line := "  east         sha256:0, ends at " + ends.Format(time.RFC3339) + "\n"
	for want, r := range map[string]api.FleetResult{
		"fleet prod: 1 intermediate of 1 cluster renewed in 3s\nevery istiod works with its new one, and 2 proofs of links passed\n" + line: {
			Fleet: "prod", Intermediates: []string{"east"}, Clusters: done, Proven: 2},
		"fleet prod: 1 intermediate of 1 cluster renewed in 3s\nno link was proven with them\n" + line: {
			Fleet: "prod", Intermediates: []string{"east"}, Clusters: done},
	} {
		var b bytes.Buffer
		printIntermediates(&b, r, 3*time.Second)
		require.Equal(t, want, b.String())
	}
}

func TestPrintRotated_TellsWhatIsInForce(t *testing.T) {
	at := time.Date(2026, 12, 30, 12, 0, 0, 0, time.Local)
	stamp := at.Format(time.RFC3339)
	for want, r := range map[string]api.FleetResult{
		"fleet prod: 2 tokens of 2 links renewed in 3s\nevery one is proven, and the one before it is removed\n2 tokens end, the first at " + stamp + "; the schedule renews each before\n": {
			Fleet: "prod", Renewed: 2, Proven: 2, Links: []string{"a.b", "b.a"}, Tokens: api.Tokens{Ending: 2, Ends: at}},
		"fleet prod: 1 token of 1 link renewed in 3s\n0 of 1 link proven; the tokens before stay in force until the next rotation\n1 token does not end by itself; it was issued at " + stamp + "; `landbridge rotate --tokens` renews them\n": {
			Fleet: "prod", Renewed: 1, Links: []string{"a.b"}, Tokens: api.Tokens{Unending: 1, Oldest: at}},
	} {
		var b bytes.Buffer
		printRotated(&b, r, 3*time.Second)
		require.Equal(t, want, b.String())
	}
}
