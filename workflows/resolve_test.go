package workflows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// fromArgo returns a fleet that has east in its file, and whatever Argo CD has.
func fromArgo() fleet.Fleet {
	f := testFleet("east")
	f.Spec.Management.TaskQueue = "hub"
	f.Spec.ClustersFrom = []fleet.ClusterSource{{Source: fleet.SourceArgoCD, Namespace: "argocd"}}
	f.SetDefaults()
	return f
}

// listing answers with clusters of Argo CD.
func listing(t *testing.T, change func(*api.ResolveClustersResult), names ...string) *fake {
	f := newFake(t)
	f.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Guard{}}})
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.ResolveClustersResult); ok {
			source := c.in.(api.ResolveClustersInput).Fleet.Spec.ClustersFrom[0]
			for _, n := range names {
				r.Clusters = append(r.Clusters, source.Cluster(n, "", "Secret argocd/"+n, fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "argocd", Name: n, Format: fleet.FormatArgoCD}}))
			}
			if change != nil {
				change(r)
			}
		}
	}
	return f
}

func resolves(c fakeCall) bool { return c.name == "ResolveClusters" }

// Every workflow of a whole fleet has the clusters before it does anything, and each asks once:
// what it starts has them already.
func TestResolved_EveryWorkflow_AsksOnceAndFirst(t *testing.T) {
	for name, work := range map[string]any{"rollout": RolloutFleet, "plan": PlanFleet, "check": CheckFleet, "verify": VerifyFleet, "drift": DriftFleet,
		"cleanup": CleanupFleet, "rotate": RotateFleet, "gather": GatherFleet, "CA": InspectCA} {
		f := listing(t, nil, "west")
		require.NoError(t, f.run(work, api.FleetInput{Fleet: fromArgo()}), name)
		require.Equal(t, 1, len(f.names(resolves)), name)
		require.Equal(t, "ResolveClusters", f.calls[0].name, name)
		require.Equal(t, "hub", f.calls[0].ref.TaskQueue, name)
		require.True(t, slices.ContainsFunc(f.calls, func(c fakeCall) bool { return c.ref.Cluster == "west" && c.ref.Kubeconfig.Secret.Name == "west" }), name)
	}
}

// A fleet without sources has no new command, so that each history replays.
func TestResolved_NoSources_AsksNobody(t *testing.T) {
	f := listing(t, nil, "west")
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	require.Empty(t, f.names(resolves))
}

// What the clusters remember has the clusters that were found, by their objects, and no sources:
// a check by the fleet's name alone goes without the management cluster.
func TestResolved_Rollout_IsRememberedAsAnyFleet(t *testing.T) {
	f := listing(t, nil, "west")
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: fromArgo()}))
	part := f.wrote("east").Part
	require.Empty(t, part.Spec.ClustersFrom)
	west, ok := part.Cluster("west")
	require.True(t, ok)
	require.Equal(t, "Secret argocd/west", west.From)
	require.Equal(t, "west-network", west.Network)
}

func TestResolved_Plan_TellsWhoJoinedAndWhoLeft(t *testing.T) {
	old := fromArgo().WithFound([]fleet.Cluster{{Name: "north", Network: "n", From: "Secret argocd/north"}})
	f := listing(t, func(r *api.ResolveClustersResult) { r.Passed = []string{"Secret argocd/new: not yet"} }, "west")
	listed := f.answer
	f.answer = func(c fakeCall, result any) {
		if listed(c, result); c.ref.Cluster == "east" {
			remember(old, c, result)
		}
	}
	require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: fromArgo()}))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, []api.FoundCluster{{Name: "west", From: "Secret argocd/west", Joined: true}}, r.Found)
	require.Equal(t, []string{"Secret argocd/new: not yet"}, r.Passed)
	i := slices.IndexFunc(r.Plan, func(p api.PlannedUnit) bool { return p.Unit == api.Member("north") })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, "left the fleet: no object that spec.clustersFrom selects names it any more, as Secret argocd/north did; --prune removes it", r.Plan[i].Changes[0].Note)
}

// A list that may lack something is no reason to remove anything.
func TestResolved_Prune_NotWhereTheListMayLackSomething(t *testing.T) {
	for name, change := range map[string]func(*api.ResolveClustersResult){
		"the source argocd in namespace argocd lists no cluster": func(r *api.ResolveClustersResult) { r.Clusters, r.Empty = nil, []string{"argocd in namespace argocd"} },
		"Secret argocd/new: not yet":                             func(r *api.ResolveClustersResult) { r.Passed = []string{"Secret argocd/new: not yet"} },
	} {
		f := listing(t, change, "west")
		err := f.run(RolloutFleet, api.FleetInput{Fleet: fromArgo(), Prune: true})
		require.Equal(t, api.TypePreflight, errorType(t, err), name)
		require.ErrorContains(t, err, name)
		require.Len(t, f.calls, 1, "nothing else is asked: %v", f.calls)

		f = listing(t, change, "west")
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: fromArgo()}), "without --prune it goes on")
	}
}

func TestResolved_NoList_NothingIsChanged(t *testing.T) {
	for _, work := range []any{RolloutFleet, PlanFleet, CleanupFleet} {
		f := listing(t, nil)
		f.on = func(c fakeCall) error {
			if resolves(c) {
				return broken(c)
			}
			return nil
		}
		err := f.run(work, api.FleetInput{Fleet: fromArgo()})
		require.Equal(t, api.TypePreflight, errorType(t, err))
		require.ErrorContains(t, err, "the clusters of the fleet could not be listed; nothing was changed")
		require.Len(t, f.calls, 1)
	}
}

// The command asks for the clusters alone where it has to know their names.
func TestResolved_OnlyTheClusters_ChecksNothing(t *testing.T) {
	f := listing(t, nil, "west")
	require.NoError(t, f.run(CheckFleet, api.FleetInput{Fleet: fromArgo(), OnlyClusters: true}))
	var r api.PreflightResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Resolved.Spec.Clusters, 2)
	require.Len(t, f.calls, 1)
}

// A cluster that appears comes in the wave of those that no wave names, after its approval.
func TestResolved_Joined_WaitsForItsWave(t *testing.T) {
	in := api.FleetInput{Fleet: fromArgo()}
	in.Fleet.Spec.Rollout.Waves = []fleet.Wave{{Name: "canary", Clusters: []string{"east"}}}
	in.Fleet.Spec.Rollout.Approval = fleet.ApprovalWaves
	require.NoError(t, in.Fleet.Validate())
	f := listing(t, nil, "west")
	f.RegisterDelayedCallback(func() {
		require.Empty(t, f.names(func(c fakeCall) bool { return ensures(c) && c.ref.Cluster == "west" }))
		f.CancelWorkflow()
	}, 3600e9)
	require.Error(t, f.run(RolloutFleet, in))
	require.NotEmpty(t, f.names(func(c fakeCall) bool { return ensures(c) && c.ref.Cluster == "east" }))
}
