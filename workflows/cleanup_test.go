package workflows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// steps returns the names of the calls without their clusters.
func steps(f *fake, keep func(fakeCall) bool) []string {
	var out []string
	for _, c := range f.calls {
		if keep(c) {
			out = append(out, c.name)
		}
	}
	return out
}

func TestCleanup_IsTheExactReverseOfTheRollout(t *testing.T) {
	for name, pair := range map[string]struct{ rollout, in, cleanup, back any }{
		"cluster": {RolloutCluster, clusterInput(), CleanupCluster, api.CleanupInput{ClusterRef: testRef("east"), Rollout: testFleet("east").Spec.Rollout}},
		"link": {RolloutLink, linkInput(), CleanupLink, api.CleanupLinkInput{Source: testRef("east"), Target: testRef("west"),
			Link: fleet.Link{From: "east", To: "west"}, Rollout: testFleet("east").Spec.Rollout}},
		"links": {RolloutLink, linkInput(), CleanupLinks, api.CleanupInput{ClusterRef: testRef("east"), Rollout: testFleet("east").Spec.Rollout}},
	} {
		t.Run(name, func(t *testing.T) {
			there, back := newFake(t), newFake(t)
			require.NoError(t, there.run(pair.rollout, pair.in))
			require.NoError(t, back.run(pair.cleanup, pair.back))
			require.Equal(t, undone(steps(there, ensures)), steps(back, removes))
		})
	}
}

func TestCleanup_OfAFleet_LinksThenClustersThenRoot(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	calls := f.names(removes)
	require.Less(t, lastIndex(calls, "RemoveAccess"), slices.Index(calls, "RemoveSealingKey east"))
	require.Equal(t, "RemoveRoot", calls[len(calls)-1])
	for _, c := range f.calls {
		if removes(c) {
			require.Empty(t, c.in.(api.RemoveInput).OnlyRun, "cleanup takes what any run made")
		}
	}
}

func TestCleanup_EachStepFails_GoesOnAndNamesWhatIsLeft(t *testing.T) {
	all := newFake(t)
	require.NoError(t, all.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	for _, failing := range all.names(removes) {
		t.Run(failing, func(t *testing.T) {
			f := newFake(t)
			f.on = func(c fakeCall) error {
				if c.String() == failing {
					return broken(c)
				}
				return nil
			}
			err := f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")})
			require.Equal(t, api.TypeLeftOver, errorType(t, err))
			failures := api.Failures(err)
			require.Len(t, failures, 1)
			require.Equal(t, api.StateLeft, failures[0].State)
			require.NotEmpty(t, failures[0].Step)
			if failing == "RemoveRoot" {
				return
			}
			calls := f.names(removes)
			require.NotContains(t, calls, "RemoveRoot", "the root stays with its last user")
			require.Contains(t, calls, "RemoveNamespaces west", "the rest goes on")
		})
	}
}

func TestCleanup_ClusterRemembersAnotherOne_ThatIsCleanedToo(t *testing.T) {
	f := newFake(t)
	old := testFleet("east", "north", "west")
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckInventoryResult); ok {
			part := old.Part(c.ref.Cluster, fleet.Stale{})
			r.Inventory = &part
		}
	}
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	require.Contains(t, f.names(removes), "RemoveInventory north")
}

func TestCleanup_ClusterOfAnotherFleet_IsNotTouched(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "CheckInventory" && c.ref.Cluster == "west" {
			e := broken(c)
			return withType(e, api.TypeOtherFleet)
		}
		return nil
	}
	err := f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypeLeftOver, errorType(t, err))
	for _, c := range f.calls {
		if removes(c) {
			require.Equal(t, "east", c.ref.Cluster)
		}
	}
}

// A schedule would find drift in all that goes. It is deleted before anything else is, and
// stays where nothing is removed.
func TestCleanup_ScheduleEndsFirst_UnlessNothingIsRemoved(t *testing.T) {
	ends := func(c fakeCall) bool { return removes(c) || c.name == "EndSchedule" }
	f := newFake(t)
	f.answer = func(_ fakeCall, result any) {
		if r, ok := result.(*api.EndScheduleResult); ok {
			r.Deleted = true
		}
	}
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	require.Equal(t, "EndSchedule", f.names(ends)[0])
	var r api.CleanupResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.True(t, r.Unscheduled)

	for why, c := range map[string]struct {
		in api.FleetInput
		on func(fakeCall) error
	}{
		"protected": {api.FleetInput{Fleet: func() fleet.Fleet { f := testFleet("east", "west"); f.Spec.Protected = true; return f }()}, nil},
		"dry run":   {api.FleetInput{Fleet: testFleet("east", "west"), DryRun: true}, nil},
		"others'": {api.FleetInput{Fleet: testFleet("east", "west")}, func(c fakeCall) error {
			if c.name == "CheckInventory" {
				return withType(broken(c), api.TypeOtherFleet)
			}
			return nil
		}},
	} {
		f := newFake(t)
		f.on = c.on
		_ = f.run(CleanupFleet, c.in)
		require.NotContains(t, f.names(nil), "EndSchedule", why)
	}
}

func TestCleanup_ScheduleCannotBeDeleted_TheRestGoesAndThatIsNamed(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EndSchedule" {
			return withType(broken(c), api.TypeOther)
		}
		return nil
	}
	err := f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypeLeftOver, errorType(t, err))
	require.ErrorContains(t, err, "`landbridge schedule delete test` deletes it")
	require.Contains(t, f.names(removes), "RemoveRoot")
}
