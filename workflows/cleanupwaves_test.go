package workflows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// knownFleet has each cluster remember its part of the fleet of an input.
func knownFleet(f *fake, in api.FleetInput) {
	f.answer = func(c fakeCall, result any) { remember(in.Fleet, c, result) }
}

// clustersOf returns the clusters that the removals reached, each once, in their order.
func clustersOf(calls []string) (out []string) {
	for _, c := range calls {
		if f := strings.Fields(c); len(f) > 1 && !slices.Contains(out, f[1]) {
			out = append(out, f[1])
		}
	}
	return out
}

// The last wave goes first. What stays for now loses its links with what goes, and keeps its
// control plane and the links among itself.
func TestCleanup_OfAFleetWithWaves_TheLastGoesFirst(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves = append(in.Fleet.Spec.Rollout.Waves, fleet.Wave{Name: "europe", Clusters: []string{"west"}})
	f := newFake(t)
	knownFleet(f, in)
	require.NoError(t, f.run(CleanupFleet, in))
	calls := f.names(removes)
	rest, europe, canary := slices.Index(calls, "RemoveInventory north"), slices.Index(calls, "RemoveInventory west"), slices.Index(calls, "RemoveInventory east")
	require.True(t, 0 < rest && rest < europe && europe < canary, "%d %d %d", rest, europe, canary)
	for _, gone := range []string{"RemoveRemoteSecret east (east.north)", "RemoveAccess east (north.east)", "RemoveRemoteSecret west (west.north)", "RemoveRemoteSecret north"} {
		require.Contains(t, calls[:rest], gone)
	}
	require.NotContains(t, calls[:rest], "RemoveRemoteSecret east (east.west)", "both stay for now")
	require.Contains(t, calls[rest:europe], "RemoveRemoteSecret east (east.west)")
	require.Equal(t, "RemoveRoot", calls[len(calls)-1])
	var s api.Status
	f.status(&s)
	require.Equal(t, []api.WaveState{{Name: "rest", Clusters: 1, State: api.Done}, {Name: "europe", Clusters: 1, State: api.Done}, {Name: "canary", Clusters: 1, State: api.Done}}, s.Waves)
}

// A fleet file that is lost still has its waves: the clusters remember them.
func TestCleanup_WithoutAFleetFile_HasTheWavesThatTheClustersRemember(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west")
	f := newFake(t)
	knownFleet(f, in)
	lost := api.FleetInput{Fleet: testFleet("east"), FromInventories: true}
	require.NoError(t, f.run(CleanupFleet, lost))
	require.Equal(t, []string{"west", "east"}, clustersOf(f.names(func(c fakeCall) bool { return c.name == "RemoveNamespaces" })))
}

// A dead cluster does not keep the others from going.
func TestCleanup_AWaveFails_TheOthersGoOn(t *testing.T) {
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	f := newFake(t)
	knownFleet(f, in)
	f.on = failing("RemoveIstio", "west", 1)
	err := f.run(CleanupFleet, in)
	require.Equal(t, api.TypeLeftOver, errorType(t, err))
	calls := f.names(removes)
	require.Contains(t, calls, "RemoveInventory east")
	require.NotContains(t, calls, "RemoveInventory west")
	require.NotContains(t, calls, "RemoveRoot")
}

func TestCleanup_WhereWavesAreApproved_EachAfterTheFirstWaits(t *testing.T) {
	in := inWaves(fleet.ApprovalWaves, "east", "west")
	f := newFake(t)
	knownFleet(f, in)
	f.RegisterDelayedCallback(func() {
		require.NotContains(t, f.names(removes), "RemoveIstio east")
		var s api.Status
		f.status(&s)
		require.Equal(t, "canary", s.WaitsFor)
		require.Equal(t, api.PhaseApproval, s.Phase)
		require.Equal(t, api.Waiting, stateOf(s, "cluster east"))
	}, time.Hour)
	retried := f.update(90*time.Minute, api.UpdateRetry, anna("cluster west"))
	said := f.update(2*time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(CleanupFleet, in))
	require.Equal(t, "wave canary begins", *said)
	require.NotContains(t, *retried, "is retried")
	require.Contains(t, f.names(removes), "RemoveRoot")
	var r api.CleanupResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, "approve wave canary, by anna: CHG-7", r.Decisions[0].String())
}

// Who skips a cluster keeps it, with its inventory and the root that its certificates need.
// Its links with what went are gone.
func TestCleanup_AClusterIsSkipped_ItStaysAsItIs(t *testing.T) {
	in := inWaves(fleet.ApprovalWaves, "east", "west")
	f := newFake(t)
	knownFleet(f, in)
	root := f.update(time.Minute, api.UpdateSkip, api.DecisionInput{Unit: api.Root(), By: "anna"})
	gone := f.update(2*time.Minute, api.UpdateSkip, anna("cluster west"))
	said := f.update(time.Hour, api.UpdateSkip, anna("cluster east"))
	require.NoError(t, f.run(CleanupFleet, in))
	require.Equal(t, "refused: the fleet has no root", *root)
	require.Contains(t, *gone, "refused: cluster west is done")
	require.Equal(t, "cluster east is skipped", *said)
	calls := f.names(removes)
	require.Contains(t, calls, "RemoveRemoteSecret east (east.west)")
	require.Contains(t, calls, "RemoveInventory west")
	for _, stays := range []string{"RemoveIstio east", "RemoveInventory east", "RemoveRoot"} {
		require.NotContains(t, calls, stays)
	}
	require.Contains(t, f.names(nil), "ReleaseInventory east")
	var r api.CleanupResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, []api.Unit{api.Member("east")}, r.Skipped)
}

func TestCleanup_PausedOverNight_GoesOnInTheMorning(t *testing.T) {
	in := api.FleetInput{Fleet: testFleet("east", "west")}
	f := newFake(t)
	knownFleet(f, in)
	said := f.update(0, api.UpdatePause, anna(""))
	f.RegisterDelayedCallback(func() { require.Empty(t, f.names(removes)) }, 11*time.Hour)
	on := f.update(12*time.Hour, api.UpdateResume, anna(""))
	require.NoError(t, f.run(CleanupFleet, in))
	require.Equal(t, "the cleanup is paused: steps that run may end, and no other begins", *said)
	require.Equal(t, "the cleanup goes on", *on)
	require.Contains(t, f.names(removes), "RemoveRoot")
}

func TestCleanup_Canceled_WhatIsLeftStays(t *testing.T) {
	in := inWaves(fleet.ApprovalWaves, "east", "west")
	f := newFake(t)
	knownFleet(f, in)
	said := f.update(time.Hour, api.UpdateCancel, anna(""))
	err := f.run(CleanupFleet, in)
	var canceled *temporal.CanceledError
	require.ErrorAs(t, err, &canceled)
	var sentence string
	require.NoError(t, canceled.Details(&sentence))
	require.Equal(t, "the cleanup was canceled by anna: CHG-7; what is left stays\ncluster east: the cleanup did not come to it", sentence)
	require.Equal(t, "the cleanup is canceled: what was removed does not come back, what is left stays", *said)
	require.NotContains(t, f.names(removes), "RemoveIstio east")
	require.Contains(t, f.names(nil), "ReleaseInventory east")
}

// What a dry run lists is listed once.
func TestCleanup_DryRunOfAFleetWithWaves_WaitsForNobody(t *testing.T) {
	in := inWaves(fleet.ApprovalWaves, "east", "west")
	in.DryRun = true
	f := newFake(t)
	knownFleet(f, in)
	require.NoError(t, f.run(CleanupFleet, in))
	require.NotContains(t, f.names(removes), "RemoveRemoteSecret east (east.west)")
	require.Contains(t, f.names(removes), "RemoveRemoteSecret east")
}
