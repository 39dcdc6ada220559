package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// checked answers the preflight of each cluster.
func checked(by map[string]func(*api.CheckClusterResult)) func(fakeCall, any) {
	return func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok && by[c.ref.Cluster] != nil {
			by[c.ref.Cluster](r)
		}
	}
}

func withVersions(v api.IstioVersions) func(*api.CheckClusterResult) {
	return func(r *api.CheckClusterResult) { r.Istio = v }
}

func operatorKnows(versions ...string) func(*api.CheckClusterResult) {
	return func(r *api.CheckClusterResult) { r.KnownIstio = versions }
}

func TestIstioVersion_MinorsThatAreSkippedAndWaysBack_AreRefusedBeforeAnything(t *testing.T) {
	for message, v := range map[string]api.IstioVersions{
		"": {Wanted: "v1.25.5", Istiod: "v1.24.3", CNI: "v1.24.3", Gateways: "v1.24.3"},
		"it runs istiod v1.24.3, CNI plugin v1.24.3, and Istio v1.26.8 would skip a minor release, which Istio does not support; roll out v1.25.5 first (spec.istio.version), or pass --force-version": {
			Wanted: "v1.26.8", Istiod: "v1.24.3", CNI: "v1.24.3", Next: "v1.25.5"},
		"roll out v1.25 first": {Wanted: "v1.26.8", Istiod: "v1.24.3"},
		"it runs gateways v1.24.3, and Istio v1.26.8 would skip a minor release, which Istio does not support; roll out v1.25.5 first": {
			Wanted: "v1.26.8", Istiod: "v1.25.5", CNI: "v1.25.5", Gateways: "v1.24.3", Next: "v1.26.8"},
		"it runs istiod v1.31.3, and Istio v1.30.7 would go back; set spec.istio.version to what runs or to a newer one, or pass --force-version": {
			Wanted: "v1.30.7", Istiod: "v1.31.3", CNI: "v1.30.7"},
		"it runs CNI plugin v1.31.3, and Istio v1.31.2 would go back": {Wanted: "v1.31.2", CNI: "v1.31.3"},
	} {
		f := newFake(t)
		f.answer = checked(map[string]func(*api.CheckClusterResult){"west": withVersions(v)})
		in := testFleet("east", "west")
		in.Spec.Istio.Version = v.Wanted
		err := f.run(RolloutFleet, api.FleetInput{Fleet: in})
		if message == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, api.TypePreflight, errorType(t, err))
		require.ErrorContains(t, err, "cluster west: ")
		require.ErrorContains(t, err, message)
		require.NotContains(t, err.Error(), "cluster east")
		require.Empty(t, f.names(ensures))

		f = newFake(t)
		f.answer = checked(map[string]func(*api.CheckClusterResult){"west": withVersions(v)})
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: in, ForceVersion: true}))
	}
}

// What runs without a version that anybody can read is nobody's reason to stop.
func TestIstioVersion_WhatCannotBeCompared_StopsNothing(t *testing.T) {
	for _, v := range []api.IstioVersions{{}, {Wanted: "master", Istiod: "v1.24.3"}, {Wanted: "v1.31.3", Istiod: "mine"}, {Wanted: "v1.31.3", Istiod: "v1.31.3", CNI: "v1.30.0"}} {
		require.Empty(t, wrongStep(v))
	}
}

func TestIstioVersion_NotInTheFile_IsTheNewestThatEveryOperatorKnows(t *testing.T) {
	f := newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){
		"east": operatorKnows("v1.31-latest", "v1.31.3", "v1.31.2", "v1.30.7"), "west": operatorKnows("v1.31.2", "v1.30.7", "v1.31-latest"), "north": operatorKnows("v1.29.0")})
	in := testFleet("east", "west", "north")
	in.Spec.Clusters[2].Istio.Version = "v1.29.0"
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: in}))
	require.Equal(t, map[string]string{"east": "v1.31.2", "west": "v1.31.2", "north": "v1.29.0"}, installed(f))
	for _, c := range f.calls {
		switch in := c.in.(type) {
		case api.EnsureInventoryInput:
			require.Equal(t, "v1.31.2", in.Part.Spec.Istio.Version, "the inventory remembers it")
		case api.CheckClusterInput:
			require.Equal(t, map[bool]string{true: "v1.29.0"}[in.Cluster == "north"], in.IstioVersion)
		}
	}
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, "v1.31.2 (the newest that every operator knows; spec.istio.version is not set)", r.IstioChosen)
}

// installed returns the version that each cluster's Istio was to have.
func installed(f *fake) map[string]string {
	out := map[string]string{}
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureIstioInput); ok {
			out[in.Cluster] = in.Istio.Version
		}
	}
	return out
}

func remembersVersion(version string, known ...string) func(*api.CheckClusterResult) {
	return func(r *api.CheckClusterResult) {
		r.KnownIstio, r.Inventory = known, &fleet.Fleet{}
		r.Inventory.Spec.Istio.Version = version
	}
}

// A newer operator is no reason to upgrade a mesh.
func TestIstioVersion_NotInTheFile_StaysWhatWasRolledOutLast(t *testing.T) {
	f := newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": remembersVersion("v1.30.6", "v1.31.3", "v1.30.7", "v1.30.6"),
		"west": remembersVersion("v1.30.7", "v1.31.3", "v1.30.7"), "north": operatorKnows("v1.31.3", "v1.30.7")})
	require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west", "north")}))
	require.Equal(t, map[string]string{"east": "v1.30.7", "west": "v1.30.7", "north": "v1.30.7"}, installed(f))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, "v1.30.7 (rolled out last; spec.istio.version is not set)", r.IstioChosen)

	f = newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": remembersVersion("v1.30.6", "v1.30.6"), "west": operatorKnows("v1.31.3", "v1.29.9")})
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.ErrorContains(t, err, "cluster west: its Sail operator does not know Istio v1.30.6; the newest that it knows are v1.31.3, v1.29.9: change spec.istio.version")
	require.Empty(t, f.names(ensures))
}

func TestIstioVersion_NotInTheFile_AndNothingInCommon(t *testing.T) {
	f := newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": operatorKnows("v1.31.3"), "west": operatorKnows("v1.28.10", "v1.28.9")})
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ErrorContains(t, err, "cluster east: its Sail operator knows no version of Istio that those of all clusters know (its newest are v1.31.3)")
	require.ErrorContains(t, err, "cluster west: its Sail operator knows no version of Istio that those of all clusters know (its newest are v1.28.10); bring the operators to one release, or set istio.version at each cluster")
	require.Empty(t, f.names(ensures))
}

func TestIstioVersion_NoOperatorListsAny_IsTheDefault(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east")}))
	require.Equal(t, map[string]string{"east": fleet.DefaultIstioVersion}, installed(f))
}

// Gateways are shown with the version that runs, whatever the file calls it.
func TestIstioVersion_AnAlias_IsTheOperatorsAndGatewaysGetWhatItStandsFor(t *testing.T) {
	f := newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": withVersions(api.IstioVersions{Wanted: "v1.31.3"}), "west": withVersions(api.IstioVersions{Wanted: "v1.31.2"})})
	in := testFleet("east", "west")
	in.Spec.Istio.Version = "v1.31-latest"
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: in}))
	require.Equal(t, map[string]string{"east": "v1.31-latest", "west": "v1.31-latest"}, installed(f))
	gateways := 0
	for _, c := range f.calls {
		want := map[string]string{"east": "v1.31.3", "west": "v1.31.2"}[c.ref.Cluster]
		switch in := c.in.(type) {
		case api.EnsureEastWestGatewayInput:
			gateways++
			require.Equal(t, want, in.Istio.Version)
		case api.EnsureEgressGatewayInput:
			gateways++
			require.Equal(t, want, in.Istio.Version)
		}
	}
	require.Equal(t, 4, gateways)
}

// Somebody changed the version: that is drift, which only a person who forces it puts back.
func TestDrift_AVersionThatSomebodyChanged_IsToldAndNotHealed(t *testing.T) {
	f := newFake(t)
	f.action = fleet.Update
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": withVersions(api.IstioVersions{Wanted: "v1.30.7", Istiod: "v1.31.3"})})
	in := testFleet("east")
	in.Spec.Istio.Version = "v1.30.7"
	require.NoError(t, f.run(DriftFleet, api.FleetInput{Fleet: in, SelfHeal: true}))
	var r api.DriftResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.True(t, r.Drifted)
	require.False(t, r.Healed)
	require.Contains(t, r.NotHealed, "it runs istiod v1.31.3, and Istio v1.30.7 would go back")
}

// A status tells which version each control plane runs, as far as the run has come.
func TestIstioVersion_IsInTheStatus(t *testing.T) {
	f := newFake(t)
	f.answer = checked(map[string]func(*api.CheckClusterResult){"east": withVersions(api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.30.7"}),
		"west": withVersions(api.IstioVersions{Wanted: "v1.31.3", Istiod: "v1.30.7"})})
	f.on = func(c fakeCall) error {
		if c.name == "EnsureIstio" && c.ref.Cluster == "west" {
			return broken(c)
		}
		return nil
	}
	in := testFleet("east", "west")
	in.Spec.Istio.Version = "v1.31-latest"
	require.Error(t, f.run(RolloutFleet, api.FleetInput{Fleet: in}))
	var s api.Status
	f.status(&s)
	got := map[string]string{}
	for _, u := range s.Units {
		if name, ok := u.Unit.Member(); ok {
			got[name] = u.Istio
		}
	}
	require.Equal(t, map[string]string{"east": "v1.31.3", "west": "v1.30.7"}, got)
}

// An Istio that is to be adopted, or whose inventory is gone, is not upgraded by the way.
func TestIstioVersion_NotInTheFile_IsOneThatRunsAlready(t *testing.T) {
	with := func(istiod string, known ...string) func(*api.CheckClusterResult) {
		return func(r *api.CheckClusterResult) { r.Istio.Istiod, r.KnownIstio = istiod, known }
	}
	for want, istiod := range map[string]string{"v1.30.7 (runs already; spec.istio.version is not set)": "v1.30.7",
		"v1.31.3 (the newest that every operator knows; spec.istio.version is not set)": "v1.30.99"} {
		f := newFake(t)
		f.answer = checked(map[string]func(*api.CheckClusterResult){"east": with(istiod, "v1.31.3", "v1.30.7"), "west": with("", "v1.31.3", "v1.30.7")})
		require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west"), ForceVersion: true}))
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, want, r.IstioChosen)
	}
}
