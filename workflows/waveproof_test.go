package workflows

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// repeated has every cluster remember the whole fleet, and each link carry requests unless
// broken says that it does not.
func repeated(f *fake, in api.FleetInput, broken func(c fakeCall, link string) bool) *fake {
	f.answer = func(c fakeCall, result any) {
		switch r := result.(type) {
		case *api.CheckClusterResult:
			r.Inventory = &in.Fleet
		case *api.CheckLinkResult:
			link := c.in.(api.CheckLinkInput).Link
			r.Link, r.Proven = link.String(), !broken(c, link.ID())
			if !r.Proven {
				r.Hop, r.Why = api.HopTCP, "nobody answers"
			}
		}
	}
	return f
}

func never(fakeCall, string) bool { return false }

// since tells whether an activity was called.
func (f *fake) since(call string) bool { return slices.Contains(f.names(nil), call) }

// A canary has links with clusters whose turn comes later. They were there before, and
// carry requests before the next wave begins.
func TestWaves_LinksOfOld_AreProvenBeforeTheNextWave(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	f := repeated(newFake(t), in, never)
	require.NoError(t, f.run(RolloutFleet, in))
	calls := f.names(nil)
	first, next := slices.Index(calls, "EnsureInventory east"), slices.Index(calls, "EnsureInventory west")
	for _, link := range []string{"east (east.west)", "west (west.east)", "east (east.north)", "north (north.east)"} {
		require.Contains(t, calls[:first], "CheckLink "+link, "before the wave")
		require.Contains(t, calls[first:next], "CheckLink "+link, "after it")
	}
	require.NotContains(t, calls[:next], "CheckLink west (west.north)", "it has nothing to do with the canary")
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, 6, r.Proven, "each link once")
}

func TestWaves_ALinkOfOldBreaks_TheCanaryFailsAndTheNextWaveDoesNotBegin(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	f := newFake(t)
	repeated(f, in, func(_ fakeCall, link string) bool { return link == "west.east" && f.since("EnsureIstio east") })
	err := f.run(RolloutFleet, in)
	require.ErrorContains(t, err, "cluster east, step proof: links that carried requests before this wave do not any more: west -> east breaks at TCP: nobody answers (kept as it is for a retry)")
	require.NotContains(t, f.names(nil), "EnsureInventory west")
	require.NotContains(t, f.names(removes), "RemoveIstio east", "what the wave changed stays")
}

// What was broken before the wave is no fault of the wave, and the next one may repair it.
func TestWaves_ALinkThatWasBrokenBefore_HoldsNothing(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	f := newFake(t)
	repeated(f, in, func(_ fakeCall, link string) bool {
		return link == "west.east" && !f.since("EnsureEgressConfig west (west.east)")
	})
	require.NoError(t, f.run(RolloutFleet, in))
}

// Somebody who waits to approve sees the canary failed, and a retry proves it again.
func TestWaves_ALinkOfOldBreaks_ARetryProvesItAgain(t *testing.T) {
	in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
	f, retried := newFake(t), false
	repeated(f, in, func(_ fakeCall, link string) bool {
		return link == "west.east" && f.since("EnsureIstio east") && !retried
	})
	f.RegisterDelayedCallback(func() {
		var s api.Status
		f.status(&s)
		require.Equal(t, api.Failed, s.Waves[0].State)
		retried = true
	}, time.Hour)
	said := f.update(time.Hour, api.UpdateRetry, anna("cluster east"))
	f.update(2*time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, in))
	require.Contains(t, *said, "east")
}

func TestWaves_WithoutProofOrInAPlan_ProveNothing(t *testing.T) {
	skipped := inWaves(fleet.ApprovalNone, "east", "west")
	skipped.Fleet.Spec.Rollout.SkipProof = true
	for _, c := range []struct {
		workflow any
		in       api.FleetInput
	}{{RolloutFleet, skipped}, {PlanFleet, inWaves(fleet.ApprovalNone, "east", "west")}} {
		f := repeated(newFake(t), c.in, never)
		require.NoError(t, f.run(c.workflow, c.in))
		require.NotContains(t, f.names(nil), "CheckLink east (east.west)")
	}
}
