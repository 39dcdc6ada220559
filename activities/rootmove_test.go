package activities

import (
	"encoding/base64"
	"io"
	"os"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rootPlaces returns a worker for every place that can keep a root, by its name.
func rootPlaces(t *testing.T) map[string]func() (*Activities, api.RootRef) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return map[string]func() (*Activities, api.RootRef){
		"directory": func() (*Activities, api.RootRef) { a, in := directoryRoot(t); return a, in.RootRef },
		"Secret": func() (*Activities, api.RootRef) {
			w := newWorld(t, "west")
			w.acts.RootExport = true
			return w.acts, api.RootRef{ClusterRef: w.ref}
		},
		"sealed Secret": func() (*Activities, api.RootRef) {
			w := newWorld(t, "west")
			w.acts.RootIdentity, w.acts.RootExport = id, true
			return w.acts, api.RootRef{ClusterRef: w.ref, Sealed: true}
		},
	}
}

func rootInput(at api.RootRef) api.EnsureRootInput {
	w := &world{ref: at.ClusterRef}
	in := w.root()
	in.RootRef = at
	return in
}

// move does what the workflow does, and returns what the new place has.
func move(t *testing.T, from, to *Activities, at, there api.RootRef) api.EnsureRootResult {
	t.Helper()
	offer, err := to.OfferRoot(t.Context(), api.OfferRootInput{RootRef: there})
	require.NoError(t, err)
	again, err := to.OfferRoot(t.Context(), api.OfferRootInput{RootRef: there})
	require.NoError(t, err)
	require.Equal(t, offer, again, "a second try does not lose what was sealed to the first")
	sealed, err := from.SealRoot(t.Context(), api.SealRootInput{RootRef: at, Recipients: []string{offer.Recipient}})
	require.NoError(t, err)
	received, err := to.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: there, Sealed: sealed.Sealed})
	require.NoError(t, err)
	require.Equal(t, sealed.Facts, received.Facts)
	repeated, err := to.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: there, Sealed: sealed.Sealed})
	require.NoError(t, err, "a try whose answer was lost is repeated")
	require.Equal(t, received.CertPEM, repeated.CertPEM)
	return received
}

func TestRoot_MovedFromEachPlaceToEachOther_IsTheSameThere(t *testing.T) {
	for from, open := range rootPlaces(t) {
		for to, openThere := range rootPlaces(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				here, at := open()
				there, place := openThere()
				made, err := here.EnsureRoot(t.Context(), rootInput(at))
				require.NoError(t, err)
				received := move(t, here, there, at, place)
				require.Equal(t, made.CertPEM, received.CertPEM)
				require.True(t, received.Created())

				kept, err := there.EnsureRoot(t.Context(), rootInput(place))
				require.NoError(t, err)
				require.Equal(t, made.CertPEM, kept.CertPEM)
				require.False(t, kept.Facts.NotAfter.IsZero())
				seen, err := there.CheckRoot(t.Context(), api.CheckRootInput{RootRef: place})
				require.NoError(t, err)
				require.Equal(t, api.CheckRootResult{Facts: made.Facts, Kept: kept.Kept}, seen)

				_, err = there.RemoveRoot(t.Context(), api.RemoveInput{ClusterRef: place.ClusterRef})
				require.NoError(t, err)
				seen, err = there.CheckRoot(t.Context(), api.CheckRootInput{RootRef: place})
				require.NoError(t, err)
				require.Equal(t, "there is no root here", seen.Why)
			})
		}
	}
}

// Where there is another root, or the members know another one, nothing is overwritten.
func TestRoot_MovedBesideAnother_IsRefused(t *testing.T) {
	for name, open := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			from, in := directoryRoot(t)
			made, err := from.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
			there, place := open()
			offer, err := there.OfferRoot(t.Context(), api.OfferRootInput{RootRef: place})
			require.NoError(t, err)
			seal := api.SealRootInput{RootRef: in.RootRef, Recipients: []string{offer.Recipient}}
			sealed, err := from.SealRoot(t.Context(), seal)
			require.NoError(t, err)

			other := []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: "sha256:1"}}}
			var refused *RootError
			seal.Known = other
			_, err = from.SealRoot(t.Context(), seal)
			require.ErrorAs(t, err, &refused)
			_, err = there.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: place, Sealed: sealed.Sealed, Known: other})
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, "the fleet has the root sha256:1 (cluster east)")

			theirs, err := there.EnsureRoot(t.Context(), rootInput(place))
			require.NoError(t, err)
			_, err = there.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: place, Sealed: sealed.Sealed})
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, "there is another root")
			kept, err := there.EnsureRoot(t.Context(), rootInput(place))
			require.NoError(t, err)
			require.Equal(t, theirs.CertPEM, kept.CertPEM)
			require.NotEqual(t, made.CertPEM, kept.CertPEM)
		})
	}
}

func TestRoot_SealedByNobodysOffer_OrDamaged_IsRefusedWithoutQuotingIt(t *testing.T) {
	for name, open := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			there, place := open()
			var refused *RootError
			_, err := there.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: place, Sealed: "x"})
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, "begin again")
			offer, err := there.OfferRoot(t.Context(), api.OfferRootInput{RootRef: place})
			require.NoError(t, err)
			for sealed, want := range map[string]string{
				"not base64!": "not base64",
				base64.StdEncoding.EncodeToString([]byte("nothing of age's")): "not sealed to the place",
				toRecipient(t, offer.Recipient, "SECRET-TEXT"):                "cannot be used",
			} {
				_, err := there.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: place, Sealed: sealed})
				require.ErrorAs(t, err, &refused)
				require.ErrorContains(t, err, want)
				require.NotContains(t, err.Error(), "SECRET")
			}
		})
	}
}

func toRecipient(t *testing.T, recipient, text string) string {
	to, err := age.ParseX25519Recipient(recipient)
	require.NoError(t, err)
	sealed, err := encrypt([]byte(text), to)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

// Who reads the Secrets of the cluster has no sealed root, and neither has a worker
// without the identity, or with another one.
func TestRoot_Sealed_IsReadableForItsWorkersOnly(t *testing.T) {
	w := newWorld(t, "west")
	at := api.RootRef{ClusterRef: w.ref, Sealed: true}
	_, err := w.acts.EnsureRoot(t.Context(), rootInput(at))
	require.ErrorContains(t, err, "--root-identity-file")
	require.Nil(t, w.secret(fleet.SystemNamespace, rootSecret), "nothing was kept")

	w.acts.RootIdentity, err = age.GenerateX25519Identity()
	require.NoError(t, err)
	_, err = w.acts.EnsureRoot(t.Context(), rootInput(at))
	require.NoError(t, err)
	for key, data := range w.secret(fleet.SystemNamespace, rootSecret) {
		require.NotContains(t, string(data), "PRIVATE KEY", key)
	}
	for _, other := range []*age.X25519Identity{nil, newIdentity(t)} {
		w.acts.RootIdentity = other
		_, err = w.acts.EnsureRoot(t.Context(), rootInput(at))
		var refused *RootError
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, "--root-identity-file")
	}
}

func newIdentity(t *testing.T) *age.X25519Identity {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return id
}

// secret returns the data of a Secret, or nil where there is none.
func (w *world) secret(namespace, name string) map[string][]byte {
	s, err := readSecret(w.t.Context(), w.Cluster.Cluster, namespace, name)
	require.NoError(w.t, err)
	if s == nil {
		return nil
	}
	return s.Data
}

func TestRoot_Exported_IsOpenedByItsRecipientsOnly(t *testing.T) {
	a, in := directoryRoot(t)
	_, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	mine := newIdentity(t)
	_, err = a.SealRoot(t.Context(), api.SealRootInput{RootRef: in.RootRef, Recipients: []string{"age1wrong"}})
	require.ErrorContains(t, err, "a recipient is none of age's")
	out, err := a.SealRoot(t.Context(), api.SealRootInput{RootRef: in.RootRef, Recipients: []string{mine.Recipient().String()}})
	require.NoError(t, err)
	data, err := base64.StdEncoding.DecodeString(out.Sealed)
	require.NoError(t, err)
	_, err = age.Decrypt(strings.NewReader(string(data)), newIdentity(t))
	require.Error(t, err)
	r, err := age.Decrypt(strings.NewReader(string(data)), mine)
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	key, err := os.ReadFile(a.RootDir + "/prod/" + rootKeyName)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(plain), "-----BEGIN CERTIFICATE-----\n"))
	require.True(t, strings.HasSuffix(string(plain), string(key)))
}

func TestMember_RemembersWhereTheRootIsNow(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	known := fleet.KnownRoot{Fingerprint: certs.Fingerprint(fleetRoot.Certificate()), Kept: "the root, in cluster west"}
	for _, want := range [][]string{{"update ConfigMap landbridge-system/" + fleet.InventoryName}, nil} {
		changes, err := w.acts.RememberRoot(t.Context(), api.RememberRootInput{ClusterRef: w.ref, Root: known, Place: fleet.RootStore{Cluster: "west"}})
		require.NoError(t, err)
		require.Equal(t, want, actions(changes.Changes))
		seen, err := w.acts.CheckIntermediate(t.Context(), api.CheckIntermediateInput{ClusterRef: w.ref})
		require.NoError(t, err)
		require.Equal(t, api.CheckIntermediateResult{Known: known}, seen, "there is no cacerts")
	}
	w.Put(secret("istio-system", fleet.CACerts, "Opaque", map[string][]byte{"ca-cert.pem": fleetRoot.CertPEM, "root-cert.pem": fleetRoot.CertPEM}))
	seen, err := w.acts.CheckIntermediate(t.Context(), api.CheckIntermediateInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, seen.Root, seen.Intermediate.Fingerprint)
	require.NoError(t, w.Client.CoreV1().Secrets("istio-system").Delete(t.Context(), fleet.CACerts, metav1.DeleteOptions{}))
}
