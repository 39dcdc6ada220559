package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// issuedFleet returns a fleet whose intermediates a cfssl server signs.
func issuedFleet(names ...string) fleet.Fleet {
	f := testFleet(names...)
	f.Spec.CA = fleet.CA{Issuer: fleet.Issuer{CFSSL: fleet.CFSSL{URL: "https://cfssl.example.com", TaskQueue: "pki"}}}
	f.SetDefaults()
	return f
}

func TestFleet_WithAnIssuer_IsAskedForTheRootAndEachSignature(t *testing.T) {
	f := newFake(t)
	want := issuedFleet("east", "west")
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.EnsureIntermediateKeyResult); ok {
			r.CSR = "CSR of " + c.ref.Cluster
		}
	}
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: want}))
	signed := 0
	for _, c := range f.calls {
		switch in := c.in.(type) {
		case api.EnsureRootInput:
			require.Equal(t, want.Spec.CA.Issuer, in.Issuer)
			require.Equal(t, "pki", in.TaskQueue, "there are the workers that have its key")
		case api.EnsureIntermediateKeyInput:
			require.True(t, in.Spec.Issuer, "the cluster must not ask for what only the fleet's own root gives")
		case api.SignIntermediateInput:
			signed++
			require.Equal(t, want.Spec.CA.Issuer, in.Issuer)
			require.Equal(t, "pki", in.TaskQueue)
			require.Equal(t, "root", in.RootPEM)
			require.True(t, in.Spec.Issuer)
		}
	}
	require.Equal(t, 2, signed)
}

// What the fleet did not make, it does not remove.
func TestFleet_WithAnIssuer_ItsRootIsNeverRemoved(t *testing.T) {
	isRoot := func(c fakeCall) bool { return c.name == "EnsureRoot" && !c.ref.DryRun || c.name == "RemoveRoot" }
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureRoot" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutFleet, api.FleetInput{Fleet: issuedFleet("east", "west")}))
	require.Equal(t, []string{"EnsureRoot"}, f.names(isRoot))

	f = newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureNamespaces" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutFleet, api.FleetInput{Fleet: issuedFleet("east", "west")}))
	require.Equal(t, []string{"EnsureRoot"}, f.names(isRoot), "no cluster uses it")

	f = newFake(t)
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: issuedFleet("east", "west")}))
	require.Empty(t, f.names(isRoot))
	require.NotEmpty(t, f.names(removes))
}
