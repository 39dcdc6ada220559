package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// renewed has the first run make a cacerts and the second one replace it. It returns what was
// in force before, and the input that replaced it.
func (w *world) renewed() (before certs.CACerts, in api.EnsureCACertsInput) {
	w.t.Helper()
	_, err := w.acts.EnsureCACerts(w.t.Context(), w.cacerts())
	require.NoError(w.t, err)
	before = w.inForce()
	w.by("run-2")
	want := w.intermediateKey()
	want.Anew = true
	key, err := w.acts.EnsureIntermediateKey(w.t.Context(), want)
	require.NoError(w.t, err)
	require.False(w.t, key.Current)
	cert, err := fleetRoot.Sign([]byte(key.CSR), certSpec(intermediateSpec()))
	require.NoError(w.t, err)
	in = api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: string(fleetRoot.CertPEM), CertPEM: string(cert), KeepBefore: true}
	_, err = w.acts.EnsureCACerts(w.t.Context(), in)
	require.NoError(w.t, err)
	require.NotEqual(w.t, before.CAKey, w.inForce().CAKey)
	require.NoError(w.t, w.inForce().Check(fleetRoot.CertPEM))
	return before, in
}

func (w *world) inForce() certs.CACerts {
	w.t.Helper()
	_, set, err := readCACerts(w.t.Context(), w.Cluster.Cluster, w.ref.Namespace)
	require.NoError(w.t, err)
	return set
}

// keptBefore returns what is kept of the cacerts before.
func (w *world) keptBefore() certs.CACerts {
	w.t.Helper()
	s, err := readSecret(w.t.Context(), w.Cluster.Cluster, fleet.SystemNamespace, beforeSecret)
	require.NoError(w.t, err)
	if s == nil {
		return certs.CACerts{}
	}
	return certs.CACertsFrom(s.Data)
}

func TestCACerts_ThatARotationReplaced_ArePutBackWithTheirKey(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.server.Authorize = granted
	before, in := w.renewed()
	require.Equal(t, before, w.keptBefore())
	_, err := w.acts.EnsureCACerts(t.Context(), in) // its answer was lost
	require.NoError(t, err)
	require.Equal(t, before, w.keptBefore(), "a second try does not take the new one for the one before")
	_, err = w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, before, w.inForce())
	require.Empty(t, w.keptBefore())
	writes := len(w.Writes())
	again, err := w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Empty(t, again.Changes)
	require.Empty(t, w.Writes()[writes:])
}

func TestCACerts_ThatAreProven_LoseTheOnesBefore(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, in := w.renewed()
	for range 2 {
		_, err := w.acts.RetireCACerts(t.Context(), api.RetireCACertsInput{ClusterRef: w.ref})
		require.NoError(t, err)
		require.Empty(t, w.keptBefore())
	}
	_, err := w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, in.CertPEM, string(w.inForce().CACert), "nothing is kept that could be put back")
}

// A run that was ended from outside leaves the one before. Only that run would put it back; the
// next one keeps what is in force now, and a cleanup removes it.
func TestCACerts_OfARunThatWasEnded_AreNotPutBackByAnother(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, in := w.renewed()
	w.by("run-3")
	_, err := w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, in.CertPEM, string(w.inForce().CACert))

	next := newWorld(t, "west").withInventory()
	next.renewed()
	now := next.inForce()
	next.by("run-3")
	key := next.intermediateKey()
	key.Anew = true
	made, err := next.acts.EnsureIntermediateKey(t.Context(), key)
	require.NoError(t, err)
	cert, err := fleetRoot.Sign([]byte(made.CSR), certSpec(intermediateSpec()))
	require.NoError(t, err)
	_, err = next.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: next.ref, RootPEM: string(fleetRoot.CertPEM), CertPEM: string(cert), KeepBefore: true})
	require.NoError(t, err)
	_, err = next.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: next.ref})
	require.NoError(t, err)
	require.Equal(t, now, next.inForce())

	_, err = w.acts.RemoveCACerts(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Empty(t, w.keptBefore())
	require.Empty(t, w.inForce())
}

func TestIntermediateKey_Anew_IsForThoseOfTheFleetOnly(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.putCACerts(issued(t, fleetRoot, 90*24*3600e9), nil)
	in := w.intermediateKey()
	in.Anew = true
	_, err := w.acts.EnsureIntermediateKey(t.Context(), in)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.EqualError(t, err, "Secret istio-system/cacerts is not Landbridge's; who made it renews it")
}
