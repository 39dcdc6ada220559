package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

func errorType(t *testing.T, err error) string {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	return app.Type()
}

func TestFleet_AllGoesWell_ALinkAfterItsTwoClusters(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west", "north")}))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Clusters, 3)
	require.Equal(t, []string{"east.north", "east.west", "north.east", "north.west", "west.east", "west.north"}, r.Links)
	require.Empty(t, f.names(removes))

	calls := f.names(nil)
	for _, id := range r.Links {
		first := slices.IndexFunc(calls, func(c string) bool { return strings.HasSuffix(c, "("+id+")") })
		require.Positive(t, first)
		for _, cluster := range strings.Split(id, ".") {
			for _, last := range []string{"WaitLoadBalancer ", "EnsureSealingKey "} {
				require.Less(t, slices.Index(calls, last+cluster), first, "%s begins before %s is done", id, cluster)
			}
		}
	}
	require.Less(t, lastIndex(calls, "CheckCluster"), slices.IndexFunc(calls, func(c string) bool { return strings.HasPrefix(c, "Ensure") }),
		"preflight is over before anything is changed")
}

func lastIndex(calls []string, prefix string) int {
	last := -1
	for i, c := range calls {
		if strings.HasPrefix(c, prefix) {
			last = i
		}
	}
	return last
}

func TestFleet_OneClusterFails_TheOthersAndTheirLinksGoOn(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureIstio" && c.ref.Cluster == "west" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")})
	require.Equal(t, api.TypePartly, errorType(t, err))
	for _, c := range f.names(removes) {
		require.Contains(t, c, " west", "only the failed cluster is undone")
	}
	var units []string
	for _, x := range api.Failures(err) {
		units = append(units, x.Unit.String())
	}
	require.ElementsMatch(t, []string{"cluster west", "link east -> west", "link north -> west", "link west -> east", "link west -> north"}, units)
	require.Contains(t, f.names(ensures), "EnsureRemoteSecret north (north.east)", "the other links are made")
	var s api.Status
	f.status(&s)
	require.Equal(t, "failed", s.Phase)
	require.Equal(t, api.Done, stateOf(s, "cluster east"))
	require.Equal(t, api.Undone, stateOf(s, "cluster west"))
	require.Equal(t, api.Skipped, stateOf(s, "link east -> west"))
}

func TestFleet_EveryClusterFails_TheRootOfThisRunGoesToo(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureNamespaces" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypeFailed, errorType(t, err))
	require.Contains(t, f.names(removes), "RemoveRoot")
}

func TestFleet_PreflightFindsProblems_NamesAllAndChangesNothing(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			r.UID = "the same"
			r.Problems = []string{"problem of " + c.ref.Cluster}
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "problem of east")
	require.ErrorContains(t, err, "problem of west")
	require.ErrorContains(t, err, "the same API server as cluster east")
	require.Equal(t, []string{"CheckCluster east", "CheckCluster west"}, sorted(f.names(nil)))
}

// A failure has room for a few sentences. The status has all of them.
func TestFleet_PreflightFindsMoreThanAFailureHolds_TheStatusTellsAll(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		for i := range 60 {
			result.(*api.CheckClusterResult).Problems = append(result.(*api.CheckClusterResult).Problems, fmt.Sprintf("problem %d of %s", i, c.ref.Cluster))
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west", "north", "south")})
	require.ErrorContains(t, err, "more")
	var s api.Status
	f.status(&s)
	require.Equal(t, 240, s.Failed)
	require.Len(t, s.Failures, api.MaxListed)
	require.Equal(t, api.Failure{Unit: api.Member("west"), Type: api.TypePreflight, Message: "problem 59 of west"}, s.Failures[119])
}

func TestFleet_InvalidFleet_IsRefused(t *testing.T) {
	bad := testFleet("east", "east")
	f := newFake(t)
	err := f.run(RolloutFleet, api.FleetInput{Fleet: bad})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.Empty(t, f.names(nil))
}

func TestPlan_OnlyEverDryRuns(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	for _, c := range f.calls {
		require.True(t, c.ref.DryRun, "%s must be a dry run", c)
	}
	require.Empty(t, f.names(removes))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Plan, 5, "root, two clusters, two links")
}

// A plan changes nothing, so that there is nothing to undo, whichever step fails in it.
func TestPlan_EachStepFails_NothingIsCalledUndone(t *testing.T) {
	whole := newFake(t)
	require.NoError(t, whole.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	for _, step := range whole.names(ensures) {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.String() == step {
				return temporal.NewNonRetryableApplicationError("refused", api.TypeInvalid, nil)
			}
			return nil
		}
		err := f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west")})
		require.ErrorContains(t, err, "refused", step)
		require.NotContains(t, err.Error(), "undone", step)
		var s api.Status
		f.status(&s)
		for _, u := range s.Units {
			require.NotEqual(t, api.Undone, u.State, step)
		}
		require.Empty(t, f.names(removes), step)
	}
}

// The fleet is protected by the file, or by what the clusters remember: an older file is
// no way around it. What does not remove anything goes on.
func TestFleet_Protected_NothingOfItIsRemoved(t *testing.T) {
	for _, by := range []string{"the file", "the clusters"} {
		try := func(workflow any, in api.FleetInput, left bool) (*fake, error) {
			f := newFake(t)
			f.answer = func(c fakeCall, result any) {
				names := []string{"east", "west"}
				if left {
					names = []string{"east", "north", "west"}
				}
				old := testFleet(names...)
				old.Spec.Protected = by == "the clusters"
				remember(old, c, result)
			}
			in.Fleet = testFleet("east", "west")
			in.Fleet.Spec.Protected = by == "the file"
			return f, f.run(workflow, in)
		}
		for _, c := range []struct {
			workflow any
			in       api.FleetInput
		}{{CleanupFleet, api.FleetInput{}}, {RolloutFleet, api.FleetInput{Prune: true}}} {
			f, err := try(c.workflow, c.in, true)
			require.Equal(t, api.TypePreflight, errorType(t, err), by)
			require.ErrorContains(t, err, "is protected by spec.protected", by)
			require.Empty(t, f.names(ensures), by)
			require.Empty(t, f.names(removes), by)
		}
		for _, c := range []struct {
			workflow any
			in       api.FleetInput
			left     bool
		}{{RolloutFleet, api.FleetInput{}, true}, {RolloutFleet, api.FleetInput{Prune: true}, false}, {CleanupFleet, api.FleetInput{DryRun: true}, true}} {
			_, err := try(c.workflow, c.in, c.left)
			require.NoError(t, err, by)
		}
	}
}

func TestFleet_CanceledWhileClustersRun_UndoesThemAndKeepsTheRest(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "WaitIstio" && c.ref.Cluster == "west" {
			f.CancelWorkflow()
			return temporal.NewCanceledError()
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Contains(t, f.names(removes), "RemoveInventory west")
	require.NotContains(t, strings.Join(f.names(ensures), " "), "EnsureAccess", "no link is begun")
	require.Contains(t, f.names(nil), "ReleaseInventory west")
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func stateOf(s api.Status, unit string) api.State {
	for _, u := range s.Units {
		if u.Unit.String() == unit {
			return u.State
		}
	}
	return "no such unit"
}
