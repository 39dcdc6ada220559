package workflows

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// existingFleet returns a fleet of clusters with an existing Istio, CA and gateways.
func existingFleet(names ...string) fleet.Fleet {
	no := false
	f := testFleet(names...)
	f.Spec.Istio.Manage, f.Spec.CA.Manage, f.Spec.Gateways.EastWest.Manage = &no, &no, &no
	f.SetDefaults()
	return f
}

// theirs lists the steps that such a fleet leaves out.
func theirs(c fakeCall) bool {
	return slices.ContainsFunc([]string{"Root", "Intermediate", "CACerts", "Istio"}, func(s string) bool { return strings.HasSuffix(c.name, s) }) ||
		c.name == "EnsureIntermediateKey" || c.name == "RemoveIntermediateKey"
}

func TestExistingMesh_RolloutAndCleanupLeaveItAlone_AndAreEachOthersReverse(t *testing.T) {
	f := existingFleet("east", "west")
	rollout, cleanup := newFake(t), newFake(t)
	require.NoError(t, rollout.run(RolloutFleet, api.FleetInput{Fleet: f}))
	require.NoError(t, cleanup.run(CleanupFleet, api.FleetInput{Fleet: f}))
	require.Empty(t, rollout.names(theirs))
	require.Empty(t, cleanup.names(theirs))

	there, back := newFake(t), newFake(t)
	ref := api.FleetInput{Fleet: f}.Ref(f.Spec.Clusters[0], "run-1")
	require.NoError(t, there.run(RolloutCluster, api.ClusterInput{ClusterRef: ref, Network: "east", Part: f.Part("east", fleet.Stale{}), Rollout: f.Spec.Rollout, IsSource: true}))
	require.NoError(t, back.run(CleanupCluster, cleanupInput(api.FleetInput{Fleet: f}, f.Spec.Clusters[0], "run-1")))
	require.Equal(t, undone(steps(there, ensures)), steps(back, removes))

	// The steps learn of the gateway what the file tells.
	for _, c := range append(there.calls, rollout.calls...) {
		switch in := c.in.(type) {
		case api.WaitLoadBalancerInput:
			require.Equal(t, fleet.EastWestGateway, in.EastWest.ServiceName())
			require.False(t, in.EastWest.Managed())
		case api.EnsureNamespacesInput:
			require.True(t, in.OnlyControlPlane)
		case api.EnsureAccessInput:
			require.Equal(t, map[string]string{"istio": "eastwestgateway"}, in.EastWest.Selector())
		case api.EnsureReaderInput:
			require.Equal(t, "default", in.Revision)
		case api.CheckClusterInput:
			require.NotNil(t, in.Existing)
		}
	}
}

func TestExistingMesh_EachStepFails_UndoesWhatWasBegun(t *testing.T) {
	f := existingFleet("east", "west")
	in := api.ClusterInput{ClusterRef: testRef("east"), Network: "east", Part: f.Part("east", fleet.Stale{}), Rollout: f.Spec.Rollout, IsSource: true}
	calls := happy(t, RolloutCluster, in)
	for _, failing := range calls {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.String() == failing {
				return broken(c)
			}
			return nil
		}
		require.Error(t, f.run(RolloutCluster, in))
		f.undidAll(calls)
	}
}

func TestExistingMesh_RootsThatDiffer_StopTheRollout(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			r.Mesh = &api.Mesh{Roots: []string{"sha256:shared", "sha256:" + c.ref.Cluster}}
			if c.ref.Cluster == "north" {
				r.Mesh.Roots = r.Mesh.Roots[1:]
			}
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: existingFleet("east", "west", "north")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "cluster north: its mesh trusts another root (sha256:north) than that of cluster east (sha256:shared)")
	require.NotContains(t, err.Error(), "cluster west")
	require.Empty(t, f.names(ensures))
}

// istiod takes the first Secret that it sees for a cluster, and there is no second.
func TestFleet_AnotherRemoteSecretForATarget_StopsTheRollout(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "east" {
			r.RemoteSecrets = []api.RemoteSecret{
				{Name: "west-kubeconfig", Clusters: []string{"west", "elsewhere"}},
				{Name: "istio-remote-secret-north", Clusters: []string{"north"}},
				{Name: "of-staging", Clusters: []string{"west"}, Fleet: "staging"},
				{Name: "own", Clusters: []string{"east"}}, {Name: "another", Clusters: []string{"elsewhere"}}}
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west", "north")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "cluster east: its istiod reads west through Secret istio-system/west-kubeconfig, not through istio-remote-secret-west; remove the key west from it, or the whole Secret, and roll out again")
	require.ErrorContains(t, err, "cluster east: its istiod reads north through Secret istio-system/istio-remote-secret-north, which Landbridge did not make; set spec.adopt: true to make it the fleet's, or remove it, and roll out again")
	require.ErrorContains(t, err, "Secret istio-system/of-staging, which the fleet staging made; clean that fleet up first, or leave the cluster to it, and roll out again")
	require.NotContains(t, err.Error(), "elsewhere")
	require.NotContains(t, err.Error(), "Secret istio-system/own")
	require.Empty(t, f.names(ensures))

	adopting := newFake(t)
	adopting.answer = f.answer
	of := testFleet("east", "west", "north")
	of.Spec.Adopt = true
	err = adopting.run(RolloutFleet, api.FleetInput{Fleet: of})
	require.ErrorContains(t, err, "through Secret istio-system/west-kubeconfig", "it has another name, and is in the way")
	require.NotContains(t, err.Error(), "istio-remote-secret-north, which")
}

// cacerts is not plugged in under an istiod with another root, nor beside a CA of
// somebody else's. Both roots and the ways out are named before anything is written.
func TestFleet_ACAUnderAnotherRoot_StopsTheRollout(t *testing.T) {
	cas := map[string]*api.ForeignCA{
		"east":  {Istiod: "istiod-1-29", Roots: []string{"sha256:a"}, SelfSigned: true},
		"west":  {CACerts: true, Roots: []string{"sha256:b", "sha256:c"}},
		"north": {CACerts: true},
		"south": {Istiod: "istiod", CACerts: true, Roots: []string{"sha256:x", "sha256:fleet"}},
	}
	answer := func(root string) func(fakeCall, any) {
		return func(c fakeCall, result any) {
			switch r := result.(type) {
			case *api.CheckClusterResult:
				r.CA = cas[c.ref.Cluster]
			case *api.EnsureRootResult:
				r.Facts.Fingerprint = root
			}
		}
	}
	onlyAsks := func(c fakeCall) bool { return ensures(c) && !c.ref.DryRun }
	f := newFake(t)
	f.answer = answer("sha256:fleet")
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west", "north", "south")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "cluster east: its istiod (Deployment istio-system/istiod-1-29) runs with the root sha256:a, which is self-signed, not with the fleet's root sha256:fleet, and would change it under its workloads at its next start; "+
		"move that mesh to a CA under a root that all clusters share and set spec.istio.manage: false, which leaves CAs alone, or remove that Istio, then roll out again")
	require.ErrorContains(t, err, "cluster west: its Secret istio-system/cacerts is not Landbridge's and has the root sha256:b and sha256:c, not the fleet's root sha256:fleet; remove it, or set")
	require.ErrorContains(t, err, "cluster north: its Secret istio-system/cacerts is not Landbridge's and has a root that cannot be read")
	require.NotContains(t, err.Error(), "cluster south")
	require.Empty(t, f.names(onlyAsks))

	f = newFake(t)
	f.answer = answer("")
	err = f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.ErrorContains(t, err, "not with the fleet's root, which is not made yet, and would change it")
	require.Empty(t, f.names(onlyAsks))

	f = newFake(t)
	f.answer = answer("sha256:fleet")
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("south")}), "a CA under the fleet's root stays")
}

// Where the root cannot be read, nothing is known of what would be plugged in.
func TestFleet_TheRootCannotBeComparedWithACA_StopsTheRollout(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			r.CA = &api.ForeignCA{Istiod: "istiod", Roots: []string{"sha256:a"}}
		}
	}
	f.on = func(c fakeCall) error {
		if c.name == "EnsureRoot" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "root, step preflight")
	require.Equal(t, []string{"CheckCluster east", "EnsureRoot"}, f.names(nil))
}

// What istiod must know of a cluster is its ID; everything else goes by its name.
func TestFleet_AClusterID_ReachesEveryStepThatTellsItToIstio(t *testing.T) {
	const id = "cn-acme-prod-europe-west1-mesh-a"
	fleetOf := testFleet("east", "west")
	fleetOf.Spec.Clusters[1].ClusterID = id
	rollout, verify := newFake(t), newFake(t)
	require.NoError(t, rollout.run(RolloutFleet, api.FleetInput{Fleet: fleetOf}))
	require.NoError(t, verify.run(VerifyFleet, api.FleetInput{Fleet: fleetOf}))
	told := map[string]bool{}
	for _, c := range append(rollout.calls, verify.calls...) {
		var got string
		switch in := c.in.(type) {
		case api.EnsureIstioInput:
			got = in.IstioID()
		case api.EnsureRemoteSecretInput:
			got = in.TargetIstioID()
		case api.CheckLinkInput:
			got = in.TargetIstioID()
		case api.CheckClusterInput:
			got = in.IstioID()
		default:
			continue
		}
		told[c.name+" "+got] = true
	}
	for _, name := range []string{"EnsureIstio", "EnsureRemoteSecret", "CheckLink", "CheckCluster"} {
		require.True(t, told[name+" "+id], name)
		require.True(t, told[name+" east"], name)
		require.False(t, told[name+" west"], name)
	}
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "east" {
			r.RemoteSecrets = []api.RemoteSecret{{Name: "another", Clusters: []string{"west"}}, {Name: "old", Clusters: []string{id}}}
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: fleetOf})
	require.ErrorContains(t, err, "its istiod reads "+id+" through Secret istio-system/old, not through istio-remote-secret-west; remove the key "+id)
	require.NotContains(t, err.Error(), "another")
}
