package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// issued returns a good cacerts of some cluster, issued by the root.
func issued(t *testing.T, root *certs.Root, lifetime time.Duration) certs.CACerts {
	t.Helper()
	spec := certSpec(intermediateSpec())
	spec.Lifetime = lifetime
	key, csr, err := certs.NewRequest(spec)
	require.NoError(t, err)
	cert, err := root.Sign(csr, spec)
	require.NoError(t, err)
	return certs.NewCACerts(root.CertPEM, cert, key)
}

func otherRoot(t *testing.T) *certs.Root {
	t.Helper()
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Other", Organization: "o", KeyAlgorithm: certs.ECDSAP256, Lifetime: time.Hour})
	require.NoError(t, err)
	return root
}

func (w *world) putCACerts(set certs.CACerts, labels map[string]string) {
	s := secret(w.ref.Namespace, fleet.CACerts, corev1.SecretTypeOpaque, set.Data())
	s.Labels = labels
	w.Put(s)
}

func TestIntermediateKey_TriedAgain_KeepsItsKey(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	first, err := w.acts.EnsureIntermediateKey(t.Context(), w.intermediateKey())
	require.NoError(t, err)
	key, err := readSecretKey(t.Context(), w.Cluster.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	require.NoError(t, err)
	again, err := w.acts.EnsureIntermediateKey(t.Context(), w.intermediateKey())
	require.NoError(t, err)
	for _, csr := range []string{first.CSR, again.CSR} {
		cert, err := fleetRoot.Sign([]byte(csr), certSpec(intermediateSpec()))
		require.NoError(t, err)
		require.NoError(t, certs.KeyMatches(key, cert))
		require.NotContains(t, csr, "PRIVATE KEY")
	}
}

func TestIntermediateKey_GoodCACerts_NeedsNone_WhoeverMadeIt(t *testing.T) {
	for _, labels := range []map[string]string{nil, {fleet.LabelFleet: "prod"}} {
		w := newWorld(t, "west").withInventory()
		set := issued(t, fleetRoot, 90*24*time.Hour)
		w.putCACerts(set, labels)
		writes := len(w.Writes())
		got, err := w.acts.EnsureIntermediateKey(t.Context(), w.intermediateKey())
		require.NoError(t, err)
		facts, err := certs.Describe(set.CACert)
		require.NoError(t, err)
		require.Equal(t, api.EnsureIntermediateKeyResult{Current: true, Facts: api.CertificateFacts(facts)}, got)
		changes, err := w.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: w.ref, Current: true, RootPEM: string(fleetRoot.CertPEM)})
		require.NoError(t, err)
		require.Equal(t, []string{"keep Secret istio-system/cacerts"}, actions(changes.All()))
		require.Empty(t, w.Writes()[writes:])
	}
}

func TestIntermediateKey_CACertsOfTheFleetThatIsNotGood_GetsANewOne(t *testing.T) {
	for name, set := range map[string]certs.CACerts{
		"another root":       issued(t, otherRoot(t), time.Hour),
		"a key that is lost": {RootCert: fleetRoot.CertPEM},
	} {
		w := newWorld(t, "west").withInventory()
		w.putCACerts(set, map[string]string{fleet.LabelFleet: "prod"})
		got, err := w.acts.EnsureIntermediateKey(t.Context(), w.intermediateKey())
		require.NoError(t, err, name)
		require.False(t, got.Current, name)
		require.NotEmpty(t, got.CSR, name)
	}
	for name, change := range map[string]func(*api.IntermediateSpec){
		"organization": func(s *api.IntermediateSpec) { s.Organization = "renamed.org" },
		"keyAlgorithm": func(s *api.IntermediateSpec) { s.KeyAlgorithm = fleet.RSA4096 },
		"lifetime":     func(s *api.IntermediateSpec) { s.Lifetime = fleet.Duration(30 * 24 * time.Hour) },
	} {
		w := newWorld(t, "west").withInventory()
		w.putCACerts(issued(t, fleetRoot, 90*24*time.Hour), map[string]string{fleet.LabelFleet: "prod"})
		in := w.intermediateKey()
		change(&in.Spec)
		got, err := w.acts.EnsureIntermediateKey(t.Context(), in)
		require.NoError(t, err)
		require.NotEmpty(t, got.CSR, "the fleet file wants another "+name)
	}
}

// The fleet file may change between the try that made a key and the one that needs it.
func TestIntermediateKey_ThatWaitsAndIsOfAnotherAlgorithm_IsMadeAnew(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.intermediateKey()
	first, err := w.acts.EnsureIntermediateKey(t.Context(), in)
	require.NoError(t, err)
	in.Spec.KeyAlgorithm = fleet.RSA4096
	next, err := w.acts.EnsureIntermediateKey(t.Context(), in)
	require.NoError(t, err)
	for csr, spec := range map[string]api.IntermediateSpec{first.CSR: intermediateSpec(), next.CSR: in.Spec} {
		_, err := fleetRoot.Sign([]byte(csr), certSpec(spec))
		require.NoError(t, err)
	}
}

func TestIntermediateKey_SomebodysCACertsUnderAnotherRoot_IsRefused(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.putCACerts(issued(t, otherRoot(t), time.Hour), nil)
	for want, root := range map[string]string{
		"is not the fleet's root sha256:":    string(fleetRoot.CertPEM),
		"the fleet has no root yet that cou": "",
	} {
		in := w.intermediateKey()
		in.RootPEM, in.DryRun = root, root == "" // a plan of a fleet without a root
		_, err := w.acts.EnsureIntermediateKey(t.Context(), in)
		var dead *kube.DeadEndError
		require.ErrorAs(t, err, &dead)
		require.ErrorContains(t, err, "Secret istio-system/cacerts exists already and is not Landbridge's: ")
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "PRIVATE")
	}
}

func TestCACerts_TheKeyMovesAndStaysInTheCluster(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.cacerts()
	_, err := w.acts.EnsureCACerts(t.Context(), in)
	require.NoError(t, err)
	pending, err := readSecret(t.Context(), w.Cluster.Cluster, fleet.SystemNamespace, pendingSecret)
	require.NoError(t, err)
	require.Nil(t, pending)
	_, set, err := readCACerts(t.Context(), w.Cluster.Cluster, "istio-system")
	require.NoError(t, err)
	require.NoError(t, set.Check(fleetRoot.CertPEM))
}

func TestCACerts_WithoutTheKeyOrWithAnotherCertificate_SaysToRollOutAgain(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: string(fleetRoot.CertPEM), CertPEM: string(issued(t, fleetRoot, time.Hour).CACert)}
	_, err := w.acts.EnsureCACerts(t.Context(), in)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.EqualError(t, err, "the key that waited in Secret landbridge-system/landbridge-intermediate is gone; roll out again")

	_ = w.cacerts() // now a key waits, to which that certificate does not belong
	_, err = w.acts.EnsureCACerts(t.Context(), in)
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "the new cacerts is not good: the key does not belong")
}

func TestSignIntermediate_ByTheRootInAClusterOrNotAtAll(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	key, err := w.acts.EnsureIntermediateKey(t.Context(), w.intermediateKey())
	require.NoError(t, err)
	in := api.SignIntermediateInput{RootRef: api.RootRef{ClusterRef: w.ref}, Member: w.ref, CSR: key.CSR, Spec: intermediateSpec()}
	_, err = w.acts.SignIntermediate(t.Context(), in)
	var none *RootError
	require.ErrorAs(t, err, &none)
	require.ErrorContains(t, err, "this worker does not have the root of the fleet prod")

	root, err := w.acts.EnsureRoot(t.Context(), w.root())
	require.NoError(t, err)
	signed, err := w.acts.SignIntermediate(t.Context(), in)
	require.NoError(t, err)
	require.NoError(t, certs.CheckIntermediate([]byte(signed.CertPEM), []byte(root.CertPEM), certSpec(intermediateSpec())))
}

func TestKeyAlgorithms_OfTheFleetFile_AreThoseOfTheCertificates(t *testing.T) {
	require.Equal(t, certs.RSA4096, fleet.RSA4096)
	require.Equal(t, certs.ECDSAP256, fleet.ECDSAP256)
}
