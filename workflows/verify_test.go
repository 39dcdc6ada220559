package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

func TestVerify_OneLinkIsBrokenAndOneSourceIsAway_EachSaysSo(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckLinkResult); ok {
			in := c.in.(api.CheckLinkInput)
			require.Zero(t, in.Patience, "verify looks once")
			*r = api.CheckLinkResult{Link: in.Link.String(), Proven: in.Link.To != "west", Checks: []api.LinkCheck{}}
			if !r.Proven {
				r.Hop, r.Why = api.HopToken, "401"
			}
		}
	}
	f.on = func(c fakeCall) error {
		if c.ref.Cluster == "north" {
			return broken(c)
		}
		return nil
	}
	require.NoError(t, f.run(VerifyFleet, api.FleetInput{Fleet: testFleet("east", "west", "north")}))
	var r api.VerifyResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.False(t, r.Proven)
	got := map[string]string{}
	for _, l := range r.Links {
		got[l.Link] = l.Hop
	}
	require.Equal(t, map[string]string{"east -> west": api.HopToken, "east -> north": "", "west -> east": "", "west -> north": "",
		"north -> east": api.HopSource, "north -> west": api.HopSource}, got)
	for _, c := range f.names(nil) {
		require.Contains(t, c, "CheckLink", "nothing else is called")
	}
}

func TestLink_ProofFails_UndoesItsSteps(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "CheckLink" {
			require.True(t, c.in.(api.CheckLinkInput).Must)
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutLink, linkInput())
	require.Equal(t, api.TypeUnit, errorType(t, err))
	require.Equal(t, "proof", api.Failures(err)[0].Step)
	require.Equal(t, undone(f.names(ensures)), f.names(removes))
}

func TestLink_ProofIsSkipped_WhereTheFleetFileSaysSo(t *testing.T) {
	f := newFake(t)
	in := linkInput()
	in.Rollout.SkipProof = true
	require.NoError(t, f.run(RolloutLink, in))
	require.NotContains(t, f.names(nil), "CheckLink east (east.west)")
	var r api.LinkResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Nil(t, r.Proof)
}
