package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/activities"
)

func TestVerify_OneLinkIsBrokenAndOneSourceIsAway_EachSaysSo(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*activities.CheckLinkResult); ok {
			in := c.in.(activities.CheckLinkInput)
			require.Zero(t, in.Patience, "verify looks once")
			*r = activities.CheckLinkResult{Link: in.Link.String(), Proven: in.Link.To != "west", Checks: []activities.LinkCheck{}}
			if !r.Proven {
				r.Hop, r.Why = activities.HopToken, "401"
			}
		}
	}
	f.on = func(c fakeCall) error {
		if c.ref.Cluster == "north" {
			return broken(c)
		}
		return nil
	}
	require.NoError(t, f.run(VerifyFleet, FleetInput{Fleet: testFleet("east", "west", "north")}))
	var r VerifyResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.False(t, r.Proven)
	got := map[string]string{}
	for _, l := range r.Links {
		got[l.Link] = l.Hop
	}
	require.Equal(t, map[string]string{"east -> west": activities.HopToken, "east -> north": "", "west -> east": "", "west -> north": "",
		"north -> east": activities.HopSource, "north -> west": activities.HopSource}, got)
	for _, c := range f.names(nil) {
		require.Contains(t, c, "CheckLink", "nothing else is called")
	}
}

func TestLink_ProofFails_UndoesItsSteps(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "CheckLink" {
			require.True(t, c.in.(activities.CheckLinkInput).Must)
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutLink, linkInput())
	require.Equal(t, TypeUnit, errorType(t, err))
	require.Equal(t, "proof", Failures(err)[0].Step)
	require.Equal(t, undone(f.names(ensures)), f.names(removes))
}

func TestLink_ProofIsSkipped_WhereTheFleetFileSaysSo(t *testing.T) {
	f := newFake(t)
	in := linkInput()
	in.Rollout.SkipProof = true
	require.NoError(t, f.run(RolloutLink, in))
	require.NotContains(t, f.names(nil), "CheckLink east (east.west)")
	var r LinkResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Nil(t, r.Proof)
}
