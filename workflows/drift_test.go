package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// third is the rollout that the clusters of these tests remember.
var third = fleet.Applied{Generation: 3, Digest: "sha256:3", At: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), Request: fleet.Request{RequestedBy: "anna"}}

// lived is a fleet that was rolled out, as the fakes' clusters remember it.
type lived struct {
	fleet.Fleet
	last fleet.Applied
	// cleaned says that a cleanup removed the fleet.
	cleaned bool
}

func newLived() *lived {
	l := &lived{Fleet: testFleet("east", "north", "west"), last: third}
	l.Spec.Rollout.SkipProof, l.Spec.Istio.Version = true, "v1.31.3"
	return l
}

// memory returns what a member remembers. The fake's UIDs are the clusters' names.
func (l *lived) memory(name string) (*fleet.Fleet, fleet.Memory) {
	part := l.Part(name, fleet.Stale{})
	m := fleet.Memory{Member: fleet.Identity{Name: name, UID: name, Network: name}, Root: fleet.KnownRoot{Fingerprint: "sha256:0"}, Applied: l.last}
	for _, c := range part.Spec.Clusters {
		if c.Name != name {
			m.Peers = append(m.Peers, fleet.Identity{Name: c.Name, UID: c.Name, Network: c.Network})
		}
	}
	return &part, m
}

// answers lets the clusters remember the fleet, until it is cleaned.
func (l *lived) answers(c fakeCall, result any) {
	if l.cleaned {
		return
	}
	switch r := result.(type) {
	case *api.CheckClusterResult:
		r.Inventory, r.Memory = l.memory(c.ref.Cluster)
	case *api.CheckInventoryResult:
		r.Inventory, r.Memory = l.memory(c.ref.Cluster)
	}
}

// byName returns the input of a check that knows the fleet's name and one cluster.
func byName(cluster string) api.FleetInput {
	f := testFleet(cluster)
	return api.FleetInput{Fleet: f.Reach(), FromInventories: true}
}

func driftOf(t *testing.T, f *fake, in api.FleetInput) (r api.DriftResult) {
	t.Helper()
	require.NoError(t, f.run(DriftFleet, in))
	require.NoError(t, f.GetWorkflowResult(&r))
	return r
}

func TestDrift_ARolloutRuns_SaysSinceWhenAndCountsNothing(t *testing.T) {
	since := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	for began, answers := range map[string][]api.LastChange{
		"before":           {{Run: "run-9", Type: api.RolloutFleet, Since: since, Running: true}},
		"meanwhile":        {{Run: "run-8"}, {Run: "run-9", Type: api.RolloutFleet, Since: since, Running: true}},
		"and ended so too": {{Run: "run-8"}, {Run: "run-9", Type: api.CleanupFleet, Since: since}},
	} {
		t.Run(began, func(t *testing.T) {
			f, l, n := newFake(t), newLived(), 0
			f.answer = func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*api.LastChange); ok {
					*r = answers[n]
					n++
				}
			}
			r := driftOf(t, f, api.FleetInput{Fleet: l.Fleet, SelfHeal: true})
			require.Equal(t, answers[len(answers)-1], *r.Busy)
			require.False(t, r.Drifted)
			require.Zero(t, r.Differs)
			require.Empty(t, r.Changes)
			require.Empty(t, r.NotHealed, "it does not even try")
			require.NotContains(t, f.names(nil), "ReleaseInventory east", "no rollout runs")
		})
	}
}

// Without a fleet file the clusters are compared with what they remember, all of them,
// and what they remember is no difference.
func TestDrift_WithoutAFleetFile_IsAgainstWhatWasAppliedLast(t *testing.T) {
	f, l := newFake(t), newLived()
	f.action, f.answer = fleet.Keep, l.answers
	r := driftOf(t, f, byName("west"))
	require.False(t, r.Drifted)
	require.Equal(t, third, *r.Applied)
	for _, name := range []string{"east", "north", "west"} {
		i := slices.IndexFunc(f.calls, func(c fakeCall) bool { return c.name == "EnsureInventory" && c.ref.Cluster == name })
		part, memory := l.memory(name)
		require.Equal(t, api.EnsureInventoryInput{ClusterRef: f.calls[i].ref, Part: *part, Memory: memory}, f.calls[i].in)
		require.True(t, f.calls[i].ref.DryRun)
	}
}

func TestDrift_NobodyRemembersTheFleet_SaysWhyOfEach(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.ref.Cluster == "west" {
			return broken(c)
		}
		return nil
	}
	in := byName("east")
	in.Fleet = testFleet("east", "west")
	err := f.run(DriftFleet, in)
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "no cluster remembers the fleet test")
	require.ErrorContains(t, err, "cluster east: it has no inventory")
	require.ErrorContains(t, err, "cluster west: no")
}

// The way to a cluster that a schedule knows may be one of long ago.
func TestDrift_KubeconfigOfAMemberMoved_TheOneOfAPeersMemoryIsTried(t *testing.T) {
	f, l := newFake(t), newLived()
	f.action, f.answer = fleet.Keep, l.answers
	f.on = func(c fakeCall) error {
		if c.ref.Kubeconfig.Path == "old" {
			return broken(c)
		}
		return nil
	}
	in := byName("west")
	in.Fleet.Spec.Clusters = append(in.Fleet.Spec.Clusters, fleet.Cluster{Name: "east", Network: "east", Kubeconfig: fleet.Kubeconfig{Path: "old"}, TaskQueue: fleet.DefaultTaskQueue})
	require.False(t, driftOf(t, f, in).Drifted)
	require.Contains(t, f.names(nil), "EnsureInventory east")
}

func TestSelfHeal_RollsOutWhatWasAppliedLast_OnlyWhereItIsRemembered(t *testing.T) {
	f, l := newFake(t), newLived()
	f.action, f.answer = fleet.Update, l.answers
	in := byName("east")
	in.SelfHeal = true
	r := driftOf(t, f, in)
	require.True(t, r.Healed, r.NotHealed)
	healed := 0
	for _, c := range f.calls {
		if !ensures(c) || c.ref.DryRun {
			continue
		}
		healed++
		require.True(t, c.ref.MustExist, c.String())
		require.True(t, c.ref.ForceConflicts, c.String())
		if w, ok := c.in.(api.EnsureInventoryInput); ok {
			require.Equal(t, third, w.Memory.Applied, "a repeat is no new generation")
		}
	}
	require.Greater(t, healed, 30)
	require.NotContains(t, f.names(nil), "RefreshSchedule")
}

// reachedOnly returns what a cluster remembers after a rollout that reached only one.
func reachedOnly(name string, c fakeCall, newest fleet.Applied) fleet.Applied {
	if c.ref.Cluster == name {
		return newest
	}
	return third
}

func TestSelfHeal_WhatItMustNotTouch_IsLeftAlone(t *testing.T) {
	fourth := third
	fourth.Generation, fourth.Digest, fourth.RequestedBy = 4, "sha256:4", "ben"
	for what, c := range map[string]struct {
		answer func(l *lived) func(fakeCall, any)
		want   string
	}{
		"the last rollout did not reach all": {func(l *lived) func(fakeCall, any) {
			return func(c fakeCall, result any) {
				l.answers(c, result)
				switch r := result.(type) {
				case *api.CheckInventoryResult:
					r.Memory.Applied = reachedOnly("west", c, fourth)
				case *api.CheckClusterResult:
					r.Memory.Applied = reachedOnly("west", c, fourth)
				}
			}
		}, "the inventories of east, north differ"},
		"somebody changed an inventory": {func(l *lived) func(fakeCall, any) {
			return func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*api.CheckInventoryResult); ok && c.ref.Cluster == "west" {
					r.Inventory.Spec.Istio.Version = "v1.20.0"
				}
			}
		}, "the inventories of west differ"},
		"a rollout came before it": {func(l *lived) func(fakeCall, any) {
			return func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*api.CheckClusterResult); ok && !c.ref.DryRun {
					r.Memory.Applied = fourth
				}
			}
		}, "generation 4 (sha256:4) was applied since, at 2026-11-28T09:00:00Z, requested by ben; this is about generation 3 (sha256:3)"},
	} {
		t.Run(what, func(t *testing.T) {
			f, l := newFake(t), newLived()
			f.action, f.answer = fleet.Update, c.answer(l)
			in := byName("east")
			in.SelfHeal = true
			r := driftOf(t, f, in)
			require.True(t, r.Drifted)
			require.False(t, r.Healed)
			require.Contains(t, r.NotHealed, c.want)
			for _, c := range f.calls {
				require.True(t, !ensures(c) || c.ref.DryRun, c.String())
			}
		})
	}
}

// A cleanup by another Temporal, which took the lock over, removes the fleet while a check
// or its self-heal is at work, at every step in turn. Nothing is made after it.
func TestSelfHeal_ACleanupComesAtEachStep_NothingIsBroughtBack(t *testing.T) {
	in := byName("east")
	in.SelfHeal = true
	whole, l := newFake(t), newLived()
	whole.action, whole.answer = fleet.Update, l.answers
	require.True(t, driftOf(t, whole, in).Healed)
	require.Greater(t, len(whole.calls), 100)
	for at := range whole.calls {
		f, l := newFake(t), newLived()
		f.action, f.answer = fleet.Update, l.answers
		var made []string
		calls := 0
		f.on = func(c fakeCall) error {
			if calls++; calls == at+1 {
				l.cleaned = true
			}
			if !l.cleaned || !ensures(c) || c.ref.DryRun {
				return nil
			}
			// As the real steps do: all but these need an inventory.
			root, isRoot := c.in.(api.EnsureRootInput)
			if isRoot && len(root.Known) == 0 || c.name == "EnsureInventory" && !c.ref.MustExist {
				made = append(made, c.String())
			}
			return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the inventory of cluster %s is gone", c.ref.Cluster), api.TypeInventoryGone, nil)
		}
		err := f.run(DriftFleet, in)
		require.Empty(t, made, "a cleanup before %s (%d)", whole.calls[at], at)
		if err != nil {
			require.ErrorContains(t, err, "no cluster remembers", whole.calls[at].String())
		}
	}
}

// A cleanup of the same Temporal cancels the rollout of a self-heal, at each of its steps
// in turn. It undoes what is open, and the check tells of it.
func TestSelfHeal_IsCanceledAtEachStep_UndoesAndTheCheckEnds(t *testing.T) {
	in := byName("east")
	in.SelfHeal = true
	heals := func(c fakeCall) bool { return !c.ref.DryRun && c.ref.MustExist && !strings.HasPrefix(c.name, "Check") }
	whole, l := newFake(t), newLived()
	whole.answer = l.answers
	require.True(t, driftOf(t, whole, in).Healed)
	steps, undos := whole.names(heals), 0
	for at := range steps {
		f, l := newFake(t), newLived()
		f.answer = l.answers
		calls := 0
		f.on = func(c fakeCall) error {
			if !heals(c) || removes(c) {
				return nil
			}
			if calls++; calls != at+1 {
				return nil
			}
			f.RegisterDelayedCallback(func() { f.CancelWorkflowByID(fleet.WorkflowID("test"), "") }, 0)
			return temporal.NewApplicationError("it takes a second try", api.TypeOther)
		}
		r := driftOf(t, f, in)
		if strings.HasPrefix(steps[at], "Release") {
			continue // all is done
		}
		require.False(t, r.Healed, steps[at])
		require.Contains(t, r.NotHealed, "cancel", steps[at])
		if len(f.names(func(c fakeCall) bool { return removes(c) && c.in.(api.RemoveInput).OnlyRun != "" })) > 0 {
			undos++
		}
	}
	require.Greater(t, undos, len(steps)/2, "a unit that is done stays")
}

// Each rollout tells the schedule how the clusters are reached now.
func TestFleet_ScheduleIsRefreshed_ByARolloutThatReachedClusters(t *testing.T) {
	refreshed := func(in api.FleetInput, on func(fakeCall) error) (out []api.RefreshScheduleInput) {
		f := newFake(t)
		f.on = on
		_ = f.run(RolloutFleet, in)
		for _, c := range f.calls {
			if in, ok := c.in.(api.RefreshScheduleInput); ok {
				out = append(out, in)
			}
		}
		return out
	}
	file := testFleet("east", "west")
	file.Spec.Istio.Values = map[string]any{"a": "b"}
	out := refreshed(api.FleetInput{Fleet: file}, nil)
	require.Len(t, out, 1)
	require.Equal(t, file.Reach(), out[0].Reach)
	require.Empty(t, out[0].Reach.Spec.Istio.Values, "it learns the way to the clusters, and nothing of what is to be there")
	require.Equal(t, fleet.Kubeconfig{Path: "west"}, out[0].Reach.Spec.Clusters[1].Kubeconfig)
	require.Empty(t, refreshed(api.FleetInput{Fleet: file, DryRun: true}, nil))
	require.Empty(t, refreshed(api.FleetInput{Fleet: file}, func(c fakeCall) error {
		if c.name == "CheckCluster" {
			return broken(c)
		}
		return nil
	}), "it may be a wrong file")
}

func TestFleet_Generation_GrowsWithEachOtherFile(t *testing.T) {
	applied := func(in fleet.Fleet, by string, memories map[string]fleet.Memory) fleet.Applied {
		f := newFake(t)
		knows(f, memories)
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: in, Request: fleet.Request{RequestedBy: by}}))
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		for _, c := range f.calls {
			if in, ok := c.in.(api.EnsureInventoryInput); ok {
				require.Equal(t, r.Applied, in.Memory.Applied)
			}
		}
		return r.Applied
	}
	with := func(a fleet.Applied) map[string]fleet.Memory {
		m := remembers("west", "sha256:0")
		m.Applied = a
		return map[string]fleet.Memory{"east": remembers("east", "sha256:0"), "west": m}
	}
	first := applied(testFleet("east", "west"), "anna", nil)
	require.Equal(t, int64(1), first.Generation)
	require.Equal(t, "anna", first.RequestedBy)
	require.Equal(t, first, applied(testFleet("east", "west"), "ben", with(first)), "a repeat is the same, whoever asks for it")
	other := testFleet("east", "west")
	other.Spec.Rollout.MaxParallel = 3
	second := applied(other, "ben", with(first))
	require.Equal(t, int64(2), second.Generation)
	require.Equal(t, "ben", second.RequestedBy)
	require.NotEqual(t, first.Digest, second.Digest)
	require.Equal(t, int64(3), applied(testFleet("east", "west"), "ben", with(second)).Generation, "going back is going on")
}

// An object that is missing was deleted where its unit has others, and was rolled out by what it
// is compared with. Where all of a unit is missing, nobody knows whether it was ever made.
func TestDrift_AnObjectThatIsMissing_WasDeletedWhereItsUnitIsThere(t *testing.T) {
	l := newLived()
	missing := func(in api.FleetInput, keeps fleet.Action, last fleet.Applied) map[string]bool {
		f := newFake(t)
		l.last, f.action = last, keeps
		f.answer = func(c fakeCall, result any) {
			l.answers(c, result)
			if r, ok := result.(*fleet.Changes); ok && c.String() == "EnsureExposure west" {
				r.Changes[0].Action = fleet.Create
			}
		}
		out := map[string]bool{}
		for _, u := range driftOf(t, f, in).Changes {
			for _, c := range u.Changes {
				out[u.Unit.String()+" "+c.Name] = c.Deleted
			}
		}
		return out
	}
	const exposure = "cluster west EnsureExposure"
	require.Equal(t, map[string]bool{exposure: true}, missing(byName("west"), fleet.Keep, third))
	require.Equal(t, map[string]bool{exposure: false}, missing(api.FleetInput{Fleet: l.Fleet}, fleet.Keep, third), "another file than the one that was rolled out")
	all := missing(byName("west"), fleet.Create, third)
	require.Contains(t, all, exposure)
	require.False(t, all[exposure], "all of the unit is missing")
}
