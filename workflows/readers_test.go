package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// withoutSecrets has istiod do without the Secrets of other clusters.
func withoutSecrets(f fleet.Fleet, version string) fleet.Fleet {
	f.Spec.Istio.Version = version
	f.Spec.Istio.Values = map[string]any{"pilot": map[string]any{"env": map[string]any{fleet.RemoteCredentials: "false"}}}
	return f
}

func TestReaders_ReadSecretsOnlyForAnIstiodThatNeedsThem(t *testing.T) {
	for name, c := range map[string]struct {
		fleet fleet.Fleet
		want  bool
	}{
		"by default":      {testFleet("east", "west"), true},
		"that do without": {withoutSecrets(testFleet("east", "west"), "v1.31.3"), false},
		"too old for it":  {withoutSecrets(testFleet("east", "west"), "v1.30.7"), true},
		"an existing":     {existingFleet("east", "west"), true},
	} {
		f := newFake(t)
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: c.fleet}), name)
		seen := 0
		for _, call := range f.calls {
			if in, ok := call.in.(api.EnsureReaderInput); ok {
				require.Equal(t, c.want, in.ReadsSecrets, name)
				require.Equal(t, in.Link.To, in.Cluster, "the account is the target's")
				seen++
			}
		}
		require.Equal(t, 2, seen, name)
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Len(t, r.ReadsSecrets, map[bool]int{true: 2}[c.want], name)
	}
}

func TestReaders_WhoReadsSecrets_DoesNotReadTheRoot(t *testing.T) {
	for name, c := range map[string]struct {
		root   fleet.RootStore
		links  []fleet.Link
		refuse bool
	}{
		"in the open":         {fleet.RootStore{Cluster: "west"}, nil, true},
		"sealed":              {fleet.RootStore{Cluster: "west", Sealed: true}, nil, false},
		"where nobody reads":  {fleet.RootStore{Cluster: "west"}, []fleet.Link{{From: "west", To: "east"}}, false},
		"in a worker's files": {fleet.RootStore{}, nil, false},
	} {
		file := testFleet("east", "west")
		file.Spec.CA.Root = c.root
		if c.links != nil {
			file.Spec.Links = fleet.Links{List: c.links}
		}
		f := newFake(t)
		err := f.run(RolloutFleet, api.FleetInput{Fleet: file})
		if !c.refuse {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, "cluster west: its Secrets have the root's key (spec.ca.root.cluster), and east reads every Secret here (Istio's default); seal the root", name)
		require.Empty(t, f.names(ensures), "nothing was changed")
	}
}

// The preflight asks for the rights to make readers, or looks for what an administrator made.
func TestReaders_ThePreflight_KnowsWhoReadsACluster(t *testing.T) {
	hub := withoutSecrets(testFleet("east", "north", "west"), "v1.31.3")
	hub.Spec.Links = fleet.Links{List: []fleet.Link{{From: "east", To: "west"}, {From: "north", To: "west"}}}
	plain := hub
	plain.Spec.Istio.Values = nil
	for own, file := range map[bool]fleet.Fleet{true: hub, false: plain} {
		f := newFake(t)
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: file}))
		seen := 0
		for _, call := range f.calls {
			if in, ok := call.in.(api.CheckClusterInput); ok {
				seen++
				require.Equal(t, in.Cluster, in.Network)
				require.Equal(t, own && in.Cluster == "west", in.OwnReaders, in.Cluster)
				require.Equal(t, map[string][]string{"west": {"east", "north"}}[in.Cluster], in.Sources)
			}
		}
		require.Equal(t, 3, seen)
	}
}

func TestReaders_AnIstiodThatWouldPanic_IsRefused(t *testing.T) {
	f := newFake(t)
	err := f.run(RolloutFleet, api.FleetInput{Fleet: withoutSecrets(testFleet("east", "west"), "v1.31.0")})
	require.ErrorContains(t, err, "cluster east: istiod v1.31.0 ends with a panic at its first remote secret")
	require.Empty(t, f.names(ensures), "nothing was changed")
}
