package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// knows makes some members answer the preflight with what they remember.
func knows(f *fake, memories map[string]fleet.Memory) {
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			r.Memory = memories[c.ref.Cluster]
		}
	}
}

// remembers returns the memory of a member. The fake's UIDs are the clusters' names.
func remembers(name, root string, peers ...fleet.Identity) fleet.Memory {
	return fleet.Memory{Member: fleet.Identity{Name: name, UID: name}, Peers: peers, Root: fleet.KnownRoot{Fingerprint: root}}
}

func TestFleet_PeerRemembersTheClusterUnderAnotherName_IsRefused(t *testing.T) {
	f := newFake(t)
	knows(f, map[string]fleet.Memory{"east": remembers("east", "", fleet.Identity{Name: "west", UID: "west-1"})})
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west-1"), Prune: true})
	failures := api.Failures(err)
	require.Len(t, failures, 1)
	require.Equal(t, api.Member("west-1"), failures[0].Unit)
	require.Equal(t, api.TypeOtherMember, failures[0].Type)
	require.Contains(t, failures[0].Message, "cluster east remembers it as west")
	require.Empty(t, f.names(ensures))
	require.Empty(t, f.names(removes))
}

func TestFleet_MembersKnowDifferentRoots_IsRefused(t *testing.T) {
	f := newFake(t)
	knows(f, map[string]fleet.Memory{"east": remembers("east", "sha256:1"), "west": remembers("west", "sha256:2")})
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypeRoot, api.Failures(err)[0].Type)
	require.ErrorContains(t, err, "it has the root sha256:2, and cluster east has sha256:1")
	require.Empty(t, f.names(ensures))
}

func TestFleet_RootIsRefused_NothingIsPruned(t *testing.T) {
	f := newFake(t)
	remembered(f)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureRoot" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west"), Prune: true}))
	require.Equal(t, []string{"EnsureRoot", "RemoveRoot"}, f.names(func(c fakeCall) bool { return ensures(c) || removes(c) }))
}

// Each member writes down who it is, who its peers are, and the root; of a peer that left
// the file it keeps the UID, by which that one is known again under any name.
func TestFleet_EachMemberRemembersItselfItsPeersAndTheRoot(t *testing.T) {
	f := newFake(t)
	remembered(f)
	inventories := f.answer
	f.answer = func(c fakeCall, result any) {
		inventories(c, result)
		switch r := result.(type) {
		case *api.CheckClusterResult:
			r.Memory = remembers(c.ref.Cluster, "sha256:0", fleet.Identity{Name: "north", UID: "uid-of-north"})
		case *api.EnsureRootResult:
			r.Kept = "in cluster east"
		}
	}
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	var known []api.MemberRoot
	wrote := map[string]fleet.Memory{}
	for _, c := range f.calls {
		switch in := c.in.(type) {
		case api.EnsureInventoryInput:
			wrote[c.ref.Cluster] = in.Memory
		case api.EnsureRootInput:
			known = in.Known
		}
	}
	require.Equal(t, []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: "sha256:0"}}}, known)
	east := wrote["east"]
	require.Equal(t, fleet.Identity{Name: "east", UID: "east", Network: "east"}, east.Member)
	require.Equal(t, []fleet.Identity{{Name: "north", UID: "uid-of-north", Network: "north"}, {Name: "west", UID: "west", Network: "west"}}, east.Peers)
	require.Equal(t, fleet.KnownRoot{Fingerprint: "sha256:0", Kept: "in cluster east"}, east.Root)
	require.Equal(t, []fleet.Link{{From: "east", To: "north"}, {From: "north", To: "east"}}, east.Left.Links, "it had left the fleet file")
	require.Equal(t, "north", east.Left.Clusters[0].Name)
	require.True(t, strings.HasPrefix(wrote["west"].Member.UID, "west"))
}

// A cluster that takes the name over by which Istio knows one that left the file waits until
// that one is gone: the last wave would remove it too late.
func TestFleet_TakesOverTheIstioNameOfAMemberThatIsStillThere_IsRefused(t *testing.T) {
	rolled := testFleet("east", "west")
	rolled.Spec.Clusters[1].ClusterID = "shop"
	now := testFleet("east", "west-2")
	now.Spec.Clusters[1].ClusterID = "shop"
	for name, c := range map[string]struct {
		workflow     any
		prune, first bool
		refused      bool
	}{
		"without prune":     {workflow: RolloutFleet, refused: true},
		"pruned last":       {workflow: RolloutFleet, prune: true, refused: true},
		"pruned first":      {workflow: RolloutFleet, prune: true, first: true},
		"a plan says it":    {workflow: PlanFleet, refused: true},
		"first, not pruned": {workflow: RolloutFleet, first: true, refused: true},
	} {
		f := newFake(t)
		f.answer = func(c fakeCall, result any) {
			if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "east" {
				r.Inventory = &rolled
			}
		}
		in := api.FleetInput{Fleet: now, Prune: c.prune}
		if c.first {
			in.Fleet.Spec.Rollout.Prune = fleet.PruneFirst
		}
		err := f.run(c.workflow, in)
		if !c.refused {
			require.NoError(t, err, name)
			continue
		}
		failures := api.Failures(err)
		require.Len(t, failures, 1, name)
		require.Equal(t, api.Member("west-2"), failures[0].Unit)
		require.Contains(t, failures[0].Message, "Istio knows west, which left the fleet file and is still there, by the same name, shop")
		require.Empty(t, f.names(ensures), name)
	}
}
