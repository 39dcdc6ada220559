package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/certs"
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

// cert-manager signs in the cluster that has it, whoever asks; only there the worker needs
// the rights for it.
func TestFleet_WithCertManager_IsAskedInItsCluster(t *testing.T) {
	want := testFleet("east", "west")
	want.Spec.CA = fleet.CA{Issuer: fleet.Issuer{CertManager: fleet.CertManager{Cluster: "west", Name: "fleet-ca"}, Root: testRoot(t)}}
	want.Spec.Clusters[1].TaskQueue = "far"
	want.SetDefaults()
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.EnsureIntermediateKeyResult); ok {
			r.CSR = "CSR of " + c.ref.Cluster
		}
	}
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: want}))
	signed := map[string]bool{}
	for _, c := range f.calls {
		switch in := c.in.(type) {
		case api.CheckClusterInput:
			require.Equal(t, c.ref.Cluster == "west", in.RequestsIn == "cert-manager")
		case api.EnsureRootInput:
			require.Equal(t, "west far", in.Cluster+" "+in.TaskQueue)
		case api.SignIntermediateInput:
			require.Equal(t, "west far", in.Cluster+" "+in.TaskQueue)
			signed[in.Spec.Cluster] = true
		}
	}
	require.Equal(t, map[string]bool{"east": true, "west": true}, signed)

	f = newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "CheckCluster" && c.ref.Cluster == "west" {
			return temporal.NewNonRetryableApplicationError("no answer", api.TypeUnreachable, nil)
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: want})
	require.ErrorContains(t, err, "cluster west has the issuer (spec.ca.issuer.certManager) and does not answer")
	require.Empty(t, f.names(ensures))
}

// testRoot returns the certificate of a root.
func testRoot(t *testing.T) string {
	t.Helper()
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Root", Organization: "o", KeyAlgorithm: certs.ECDSAP256, Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	return string(root.CertPEM)
}
