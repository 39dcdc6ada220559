package workflows

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// remembered lets each cluster answer with an inventory of a fleet that had north too.
func remembered(f *fake) {
	old := testFleet("east", "north", "west")
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			part := old.Part(c.ref.Cluster, fleet.Stale{})
			r.Inventory = &part
		}
	}
}

func TestFleet_ClusterLeftTheFile_StaysUntilPruned(t *testing.T) {
	f := newFake(t)
	remembered(f)
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Empty(t, f.names(removes))
	require.Len(t, r.Stale.Links, 4)
	require.Equal(t, "north", r.Stale.Clusters[0].Name)
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureInventoryInput); ok {
			_, still := in.Part.Cluster("north")
			require.True(t, still, "what was not removed is not forgotten")
		}
	}
}

// pruning returns a rollout of a fleet that north left, in waves or not.
func pruning(waves bool) api.FleetInput {
	in := api.FleetInput{Fleet: testFleet("east", "west"), Prune: true}
	if waves {
		in.Fleet.Spec.Rollout.Waves = []fleet.Wave{{Name: "canary", Clusters: []string{"east"}}}
	}
	return in
}

// A removal cannot be undone, so that it comes after the proof of what stays. Nobody
// remembers what went, and what stays is proven once more.
func TestPrune_IsTheLastWave_LinksThenCluster(t *testing.T) {
	for _, waves := range []bool{false, true} {
		f := newFake(t)
		remembered(f)
		require.NoError(t, f.run(RolloutFleet, pruning(waves)))
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Len(t, r.Pruned.Links, 4)
		require.True(t, r.Stale.Empty())
		require.Equal(t, 2, r.Proven, "each link of the file counts once")
		calls, gone := f.names(nil), f.names(removes)
		require.Contains(t, gone, "RemoveRemoteSecret east (east.north)")
		require.Contains(t, gone, "RemoveReaderToken north (east.north)")
		require.Less(t, lastIndex(gone, "RemoveAccess"), lastIndex(gone, "RemoveSealingKey"))
		require.Equal(t, "RemoveInventory north", gone[len(gone)-1])
		first, last := slices.IndexFunc(calls, func(c string) bool { return removes(fakeCall{name: c}) }), slices.Index(calls, "RemoveInventory north")
		for _, link := range []string{"east (east.west)", "west (west.east)"} {
			require.Contains(t, calls[:first], "CheckLink "+link, "before anything goes")
			require.Contains(t, calls[last:], "CheckLink "+link, "after it")
		}
		for _, name := range []string{"east", "west"} {
			require.Contains(t, calls[last:], "EnsureInventory "+name)
			now := f.wrote(name)
			_, still := now.Part.Cluster("north")
			require.False(t, still, "%s remembers what went", name)
			require.Len(t, now.Memory.Peers, 1)
			require.True(t, now.Memory.Left.Empty())
		}
	}
}

// A cluster that takes the place of another wants that one to be gone before.
func TestPrune_First_BeforeAnythingIsRolledOut(t *testing.T) {
	f := newFake(t)
	remembered(f)
	in := pruning(true)
	in.Fleet.Spec.Rollout.Prune = fleet.PruneFirst
	require.NoError(t, f.run(RolloutFleet, in))
	calls := f.names(nil)
	require.Less(t, slices.Index(calls, "RemoveInventory north"), slices.Index(calls, "EnsureInventory east"))
	require.Equal(t, 1, len(f.names(func(c fakeCall) bool { return c.String() == "EnsureInventory east" })), "it never remembered north")
	var s api.Status
	f.status(&s)
	require.Equal(t, []api.WaveState{{Name: "prune", Clusters: 1, State: api.Done}, {Name: "canary", Clusters: 1, State: api.Done}, {Name: "rest", Clusters: 1, State: api.Done}}, s.Waves)
}

func TestPrune_AWaveBeforeFails_NothingIsRemoved(t *testing.T) {
	for _, waves := range []bool{false, true} {
		f := newFake(t)
		remembered(f)
		f.on = failing("EnsureIstio", "east", 1)
		err := f.run(RolloutFleet, pruning(waves))
		require.ErrorContains(t, err, "cluster north: left out, since a wave before prune failed")
		require.ErrorContains(t, err, "link east -> north: left out, since a wave before prune failed")
		require.NotContains(t, f.names(removes), "RemoveInventory north")
		require.NotContains(t, f.names(removes), "RemoveRemoteSecret east (east.north)")
		var s api.Status
		f.status(&s)
		require.Equal(t, api.Skipped, stateOf(s, "cluster north"))
	}
}

// Where waves are approved, what removes is approved by its name, first or last, and can be
// paused and skipped as all else.
func TestPrune_WhereWavesAreApproved_WaitsToo(t *testing.T) {
	for _, when := range []string{fleet.PruneFirst, fleet.PruneLast} {
		f := newFake(t)
		remembered(f)
		in := pruning(true)
		in.Fleet.Spec.Rollout.Approval, in.Fleet.Spec.Rollout.Prune = fleet.ApprovalWaves, when
		approve := func(after time.Duration, wave string) *string {
			by := anna("")
			by.Wave = wave
			return f.update(after, api.UpdateApprove, by)
		}
		order := []string{fleet.RestWave, fleet.PruneWave}
		if when == fleet.PruneFirst {
			slices.Reverse(order)
		}
		wrong := approve(time.Hour, order[1])
		skipped := f.update(2*time.Hour, api.UpdateSkip, anna("link east -> north"))
		first, second := approve(3*time.Hour, order[0]), approve(4*time.Hour, order[1])
		require.NoError(t, f.run(RolloutFleet, in))
		require.Contains(t, *wrong, "refused: wave "+order[1]+" does not wait for an approval, wave "+order[0]+" does")
		require.Equal(t, "link east -> north is skipped", *skipped)
		require.Equal(t, "wave "+order[0]+" begins", *first)
		require.Equal(t, "wave "+order[1]+" begins", *second)
		require.NotContains(t, f.names(removes), "RemoveRemoteSecret east (east.north)")
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, []fleet.Link{{From: "east", To: "north"}}, r.Stale.Links)
		require.Len(t, r.Pruned.Links, 3)
	}
}

// Whoever skips all that waits has decided: nobody has to approve nothing.
func TestPrune_AllOfItSkipped_TheRolloutEnds(t *testing.T) {
	f := newFake(t)
	remembered(f)
	in := pruning(true)
	in.Fleet.Spec.Rollout.Approval = fleet.ApprovalWaves
	f.update(time.Minute, api.UpdateApprove, anna(""))
	said := f.update(time.Hour, api.UpdateSkip, anna("cluster north"))
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "cluster north is skipped", *said)
	require.Empty(t, f.names(removes))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Stale.Links, 4)
}

// What could not be removed, another rollout tries to.
func TestPrune_LeavesSomething_TheRolloutIsPartlyDoneAndRemembersIt(t *testing.T) {
	f := newFake(t)
	remembered(f)
	f.on = failing("RemoveEastWestGateway", "north", 1)
	err := f.run(RolloutFleet, pruning(false))
	require.Equal(t, api.TypePartly, errorType(t, err))
	require.ErrorContains(t, err, "cluster north, step east-west gateway: no")
	now := f.wrote("east")
	require.Empty(t, now.Memory.Left.Links)
	require.Equal(t, "north", now.Memory.Left.Clusters[0].Name, "no link of it is left, and yet it is not forgotten")
	_, still := now.Part.Cluster("north")
	require.True(t, still)
}

// An istiod that forgets more than it should, and a member that cannot forget, are seen.
func TestPrune_HarmsWhatStays_ThatFails(t *testing.T) {
	f := newFake(t)
	remembered(f)
	old := f.answer
	f.answer = func(c fakeCall, result any) {
		old(c, result)
		if r, ok := result.(*api.CheckLinkResult); ok && c.ref.Cluster == "east" && slices.Contains(f.names(nil), "RemoveInventory north") {
			*r = api.CheckLinkResult{Hop: api.HopTCP, Why: "nobody answers"}
		}
	}
	f.on = func(c fakeCall) error {
		if c.String() == "EnsureInventory west" && slices.Contains(f.names(nil), "RemoveInventory north") {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutFleet, pruning(false))
	require.Equal(t, api.TypePartly, errorType(t, err))
	require.ErrorContains(t, err, "link east -> west, step proof: it carried requests before what left the fleet file was removed, and breaks at TCP now: nobody answers (kept as it is for a retry)")
	require.ErrorContains(t, err, "cluster west, step inventory: no (kept as it is for a retry)")
	require.NotContains(t, f.names(removes), "RemoveRemoteSecret east (east.west)")
}

// A member that did not answer may remember more that left the file. It is retried while the
// removal waits: what it adds is not what somebody looked at and approved.
func TestPrune_MoreTurnsUpWhileItWaits_StaysForTheNextRollout(t *testing.T) {
	f, answers := newFake(t), false
	in := pruning(true)
	in.Fleet.Spec.Rollout.Approval = fleet.ApprovalWaves
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			old := testFleet("east", "north", "west")
			if c.ref.Cluster == "west" {
				old = testFleet("south", "west")
			}
			part := old.Part(c.ref.Cluster, fleet.Stale{})
			r.Inventory = &part
		}
	}
	f.on = func(c fakeCall) error {
		if c.ref.Cluster == "west" && !answers {
			return temporal.NewNonRetryableApplicationError("no route to host", api.TypeUnreachable, nil)
		}
		return nil
	}
	f.RegisterDelayedCallback(func() { answers = true }, time.Hour)
	retried := f.update(2*time.Hour, api.UpdateRetry, anna("cluster west"))
	by := anna("")
	by.Wave = fleet.PruneWave
	said := f.update(4*time.Hour, api.UpdateApprove, by)
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "cluster west is retried", *retried)
	require.Equal(t, "wave prune begins", *said)
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, "north", r.Pruned.Clusters[0].Name)
	require.Len(t, r.Stale.Clusters, 1)
	require.Equal(t, "south", r.Stale.Clusters[0].Name)
	require.NotContains(t, f.names(removes), "RemoveInventory south")
}
