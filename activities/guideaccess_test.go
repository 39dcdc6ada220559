package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
)

// The guide's gateways get in until Landbridge has given all of them identities of its own, and
// not a second time.
func TestGuideAccess_FromTheDenialUntilTheLinksAreDone(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	in := api.EnsureExposureInput{ClusterRef: w.ref, Gateways: guideGateways().Gateways, Guide: []string{"cluster.local/ns/istio-system/sa/kube-apiserver-west-egress-gateway"}}
	there := func() bool {
		_, ok := w.snapshot()[kinds.AuthorizationPolicies.Kind+" "+w.ref.Namespace+"/"+guideAccessName]
		return ok
	}
	changes, err := w.acts.EnsureExposure(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, guideAccessName, changes.All()[0].Name, "before the denial")
	require.True(t, there())
	_, err = w.acts.EnsureExposure(t.Context(), in)
	require.NoError(t, err)
	require.True(t, there(), "a link has failed, and the rollout is repeated")

	_, err = w.acts.ShutGuideOut(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.False(t, there())
	_, err = w.acts.EnsureExposure(t.Context(), in)
	require.NoError(t, err)
	require.False(t, there())

	_, err = w.acts.LetGuideIn(t.Context(), in)
	require.NoError(t, err)
	require.True(t, there(), "a cleanup gives the guide's gateways back")
	_, err = w.acts.RemoveExposure(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.False(t, there())
}

func TestGuideAccess_OfAMeshThatIsNotAdopted_IsNeverThere(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	changes, err := w.acts.EnsureExposure(t.Context(), api.EnsureExposureInput{ClusterRef: w.ref, Gateways: guideGateways().Gateways})
	require.NoError(t, err)
	for _, c := range changes.All() {
		require.NotEqual(t, guideAccessName, c.Name)
	}
}
