package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Without a member, a fleet of any kind of links is as if the member had never been.
func TestWithout_AMember_LeavesTheOthersAsTheyWere(t *testing.T) {
	for name, c := range map[string]struct {
		links Links
		want  []Link
	}{
		"a mesh":             {Links{Mesh: true}, []Link{{"east", "west"}, {"west", "east"}}},
		"a list":             {Links{List: []Link{{"east", "north"}, {"east", "west"}}}, []Link{{"east", "west"}}},
		"a hub that stays":   {Links{Hub: &Hub{Cluster: "east", Direction: "out"}}, []Link{{"east", "west"}}},
		"the hub itself":     {Links{Hub: &Hub{Cluster: "north", Direction: "both"}}, nil},
		"a list of its only": {Links{List: []Link{{"east", "north"}}}, nil},
	} {
		f := Fleet{Spec: Spec{Links: c.links, Clusters: []Cluster{{Name: "east"}, {Name: "north"}, {Name: "west"}},
			Rollout: Rollout{Waves: []Wave{{Name: "a", Clusters: []string{"north"}}, {Name: "b", Clusters: []string{"east", "north"}}}}}}
		left := f.Without("north")
		require.ElementsMatch(t, c.want, left.Links(), name)
		require.Equal(t, []Cluster{{Name: "east"}, {Name: "west"}}, left.Spec.Clusters, name)
		require.Equal(t, []Wave{{Name: "b", Clusters: []string{"east"}}}, left.Spec.Rollout.Waves, name)
		require.Len(t, f.Spec.Clusters, 3, "the fleet itself stays as it is")
		require.Len(t, f.Spec.Rollout.Waves[1].Clusters, 2)
	}
}

func TestWithout_WhatIsRemoved_IsNotStaleAnyMore(t *testing.T) {
	s := Stale{Clusters: []Cluster{{Name: "north"}, {Name: "south"}}, Links: []Link{{"east", "north"}, {"east", "south"}}}
	require.Equal(t, Stale{Clusters: []Cluster{{Name: "south"}}, Links: []Link{{"east", "south"}}},
		s.Without(Stale{Clusters: []Cluster{{Name: "north"}}, Links: []Link{{"east", "north"}}}))
	require.True(t, s.Without(s).Empty())
}

func TestWithout_APeer_IsNotRememberedAnyMore(t *testing.T) {
	m := Memory{Member: Identity{Name: "east"}, Peers: []Identity{{Name: "north"}, {Name: "west"}}}
	m.Left = Stale{Clusters: []Cluster{{Name: "north"}, {Name: "south"}}, Links: []Link{{"east", "north"}, {"east", "south"}}}
	first, again := Forgotten{Name: "north", Request: Request{Reason: "flood"}}, Forgotten{Name: "north", Request: Request{Reason: "fire"}}
	want := Memory{Member: Identity{Name: "east"}, Peers: []Identity{{Name: "west"}}, Forgotten: []Forgotten{again},
		Left: Stale{Clusters: []Cluster{{Name: "south"}}, Links: []Link{{"east", "south"}}}}
	require.Equal(t, want, m.Forget(first).Forget(again))
	require.Len(t, m.Peers, 2)
}
