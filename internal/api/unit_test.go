package api

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/fleet"
)

var everyUnit = []Unit{{}, Root(), Member("east"), Member("west"), LinkOf(fleet.Link{From: "east", To: "west"}), LinkOf(fleet.Link{From: "west", To: "east"})}

func TestUnit_TextAndBack_IsTheSameUnit(t *testing.T) {
	for _, u := range everyUnit {
		back, err := ParseUnit(u.String())
		require.NoError(t, err)
		require.Equal(t, u, back)
		data, err := json.Marshal(map[Unit]Unit{u: u})
		require.NoError(t, err)
		var m map[Unit]Unit
		require.NoError(t, json.Unmarshal(data, &m))
		require.Equal(t, map[Unit]Unit{u: u}, m)
	}
}

func TestUnit_TextThatNamesNone_IsRefused(t *testing.T) {
	for _, s := range []string{"", "cluster ", "link east", "link east -> ", "link  -> west", "links of east", "east"} {
		_, err := ParseUnit(s)
		require.ErrorContains(t, err, "names no unit", "%q", s)
	}
}

func TestUnit_WorkflowIDs_AreThoseOfTheChildren(t *testing.T) {
	require.Equal(t, "landbridge.prod.cluster.east", Member("east").WorkflowID("landbridge.prod"))
	require.Equal(t, "landbridge.prod.links.east.west", LinkOf(fleet.Link{From: "east", To: "west"}).WorkflowID("landbridge.prod"))
	require.Equal(t, "landbridge.prod.links.east", LinksWorkflowID("landbridge.prod", "east"))
	require.Equal(t, "landbridge.prod", Root().WorkflowID("landbridge.prod"))
}

func TestUnit_Touches_ItselfAndItsEnds(t *testing.T) {
	link := LinkOf(fleet.Link{From: "east", To: "west"})
	require.True(t, link.Touches("east") && link.Touches("west") && Member("east").Touches("east"))
	require.False(t, link.Touches("north") || Member("east").Touches("west") || Root().Touches("") || Unit{}.Touches(""))
}

func TestUnit_Order_IsFleetRootMembersLinks(t *testing.T) {
	shuffled := slices.Clone(everyUnit)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, Unit.Compare)
	require.Equal(t, everyUnit, shuffled)
}
