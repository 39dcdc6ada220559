package fleet

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPart_IsTheClusterAndItsNeighbours(t *testing.T) {
	f := parse(t, small+"  links: [{from: east, to: west}, {from: north, to: west}]\n")
	part := f.Part("east", Stale{})
	require.Equal(t, []Link{{"east", "west"}}, part.Links())
	require.Len(t, part.Spec.Clusters, 2)
	require.NoError(t, func() error { part.SetDefaults(); return part.Validate() }())
}

func TestPart_LeavesTheFleetAsItIs(t *testing.T) {
	f, same := parse(t, small), parse(t, small)
	part := f.Part("east", Stale{Links: []Link{{"east", "gone"}}, Clusters: []Cluster{{Name: "gone"}}})
	part.Spec.Clusters[0].Network = "other"
	require.Equal(t, same, f)
}

// What one cluster remembers of a link that left the fleet file stays in its part
// until the link is removed.
func TestPart_KeepsWhatIsNotRemovedYet(t *testing.T) {
	before := parse(t, small)
	now := parse(t, strings.Replace(small, "  - {name: north, network: n, kubeconfig: {context: north}}\n", "", 1))
	stale := now.Stale([]Fleet{before.Part("east", Stale{})})
	require.Equal(t, []Link{{"east", "north"}, {"north", "east"}}, stale.Links)
	kept := now.Part("east", stale)
	require.Equal(t, []string{"east.north", "east.west", "north.east", "west.east"}, ids(kept.Links()))
	require.Equal(t, stale, now.Stale([]Fleet{kept}), "it is still known as stale")
	west := now.Part("west", stale)
	require.Equal(t, []string{"east.west", "west.east"}, ids(west.Links()), "west remembers no link with north")
}

func TestStale_WhatClustersRememberAndTheFileDoesNotHave(t *testing.T) {
	old := parse(t, small+"  links: mesh\n")
	now := parse(t, strings.Replace(small, "  - {name: north, network: n, kubeconfig: {context: north}}\n", "", 1))
	stale := now.Stale([]Fleet{old.Part("east", Stale{}), old.Part("west", Stale{})})
	require.Equal(t, []Link{{"east", "north"}, {"north", "east"}, {"north", "west"}, {"west", "north"}}, stale.Links)
	require.Equal(t, "north", stale.Clusters[0].Name)
	require.Len(t, stale.Clusters, 1, "though two clusters remember it")
	require.False(t, stale.Empty())
	require.True(t, old.Stale([]Fleet{old.Part("east", Stale{})}).Empty())
	require.True(t, old.Stale(nil).Empty())
}

// The parts of all clusters together are the fleet: nothing is forgotten, and
// nothing that was applied is stale.
func TestPart_OfEveryCluster_TogetherAreTheFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, "fleet")
		var parts []Fleet
		var links []string
		clusters := map[string]bool{}
		for _, c := range f.Spec.Clusters {
			part := f.Part(c.Name, Stale{})
			parts = append(parts, part)
			links = append(links, ids(part.Links())...)
			for _, c := range part.Spec.Clusters {
				clusters[c.Name] = true
			}
			require.NoError(t, func() error { part.SetDefaults(); return part.Validate() }())
		}
		slices.Sort(links)
		require.Equal(t, ids(f.Links()), slices.Compact(links))
		require.Len(t, clusters, len(f.Spec.Clusters))
		require.True(t, f.Stale(parts).Empty())
	})
}

// After the fleet file changed, stale and the new file together have every link
// and cluster of the old one, and nothing is in both.
func TestStale_AfterAnyChange_IsWhatLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawFleet(t, "old"), drawFleet(t, "new")
		var parts []Fleet
		for _, c := range old.Spec.Clusters {
			parts = append(parts, old.Part(c.Name, Stale{}))
		}
		stale := now.Stale(parts)
		left := slices.DeleteFunc(old.Links(), func(l Link) bool { return slices.Contains(now.Links(), l) })
		require.Equal(t, ids(left), ids(stale.Links))
		for _, c := range old.Spec.Clusters {
			_, stays := now.Cluster(c.Name)
			gone := slices.ContainsFunc(stale.Clusters, func(o Cluster) bool { return o.Name == c.Name })
			require.NotEqual(t, stays, gone, c.Name)
		}
		// What is kept for later is known as stale again, and nothing else.
		var kept []Fleet
		for _, c := range now.Spec.Clusters {
			kept = append(kept, now.Part(c.Name, stale))
		}
		for _, l := range now.Stale(kept).Links {
			require.Contains(t, stale.Links, l)
		}
	})
}
