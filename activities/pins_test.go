package activities

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
)

// The attacker of these tests may start what he likes with any input. He has no kubeconfig, and
// can write no file where a worker looks.

// untouched says that a request was refused as one that nobody can trust, and changed nothing.
func (w *world) untouched(try func() error, why string) {
	w.t.Helper()
	before := w.snapshot()
	err := try()
	var refused *inventory.UntrustedError
	require.ErrorAs(w.t, err, &refused)
	require.ErrorContains(w.t, err, why)
	require.Equal(w.t, before, w.snapshot())
}

// tokens returns a target and its source, whose kubeconfig the target's worker has, and what
// that worker is asked when the source is to get a token.
func tokens(t *testing.T) (source, target *world, in api.EnsureReaderTokenInput) {
	source, target = newWorld(t, "east").withInventory(), newWorld(t, "west").withInventory()
	target.reaches("east", source)
	target.Put(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: fleet.Reader("east"), UID: types.UID("account of east")}})
	return source, target, api.EnsureReaderTokenInput{LinkRef: api.LinkRef{ClusterRef: target.ref, Link: toWest[0]}, Recipient: source.recipient(), TLSServerName: "example.com"}
}

func (w *world) token(in api.EnsureReaderTokenInput) func() error {
	return func() error {
		_, err := w.acts.EnsureReaderToken(w.t.Context(), in)
		return err
	}
}

// pinned returns what the cluster remembers of a source.
func (w *world) pinned(source string) inventory.Pin {
	w.t.Helper()
	inv, err := inventory.Read(w.t.Context(), w.Cluster.Cluster)
	require.NoError(w.t, err)
	return inv.Pins[source]
}

func TestAttacker_WantsATokenSealedToHisOwnKey_GetsNone(t *testing.T) {
	for _, joined := range []bool{false, true} {
		source, target, in := tokens(t)
		want := inventory.Pin{}
		if joined {
			require.NoError(t, target.token(in)())
			want = inventory.Pin{UID: uidNamed("east"), Recipient: in.Recipient}
		}
		forged := in
		forged.Recipient = newIdentity(t).Recipient().String()
		target.untouched(target.token(forged), "cluster east has the key "+source.recipient())
		require.Equal(t, want, target.pinned("east"))
	}
}

// A source that he makes up is in no kubeconfig of the worker, or is another cluster there,
// whatever he had the inventory say before.
func TestAttacker_MakesUpASource_GetsNoTokenForIt(t *testing.T) {
	source, target, in := tokens(t)
	in.Recipient, in.Link.From = newIdentity(t).Recipient().String(), "evil"
	target.untouched(target.token(in), "knows no link evil -> west")

	forged := target.inventory()
	forged.Part.Spec.Links.List = []fleet.Link{in.Link}
	for kubeconfig, want := range map[string]string{"evil": "kubeconfig evil is in none of this worker's directories", "../evil": "escapes", "east": "is the fleet's member east"} {
		forged.Part.Spec.Clusters = []fleet.Cluster{{Name: "evil", Kubeconfig: fleet.Kubeconfig{Path: kubeconfig}}, {Name: "west"}}
		_, err := target.acts.EnsureInventory(t.Context(), forged)
		require.NoError(t, err)
		require.ErrorContains(t, target.token(in)(), want)
		require.Nil(t, target.secret("istio-system", fleet.ReaderToken("evil", 1)))
	}
	require.Empty(t, target.pinned("evil"))
	require.NotEmpty(t, source.recipient())
}

// A source that was rebuilt has another key. The worker, whose kubeconfig leads to the new
// cluster, sees that; whoever has the old one gets nothing from then on.
func TestReaderToken_TheSourceWasRebuilt_ItsNewKeyTakesThePlaceOfTheOld(t *testing.T) {
	_, target, in := tokens(t)
	require.NoError(t, target.token(in)())
	old := in

	rebuilt := newWorld(t, "east")
	rebuilt.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: "uid of another east"}})
	made := rebuilt.inventory()
	made.Memory.Member.UID = "uid of another east"
	_, err := rebuilt.acts.EnsureInventory(t.Context(), made)
	require.NoError(t, err)
	in.Recipient = rebuilt.recipient()
	require.ErrorContains(t, target.token(in)(), "and cluster east has the key", "the worker still reaches the old one")

	target.reaches("east", rebuilt)
	require.NoError(t, target.token(in)())
	require.Equal(t, inventory.Pin{UID: "uid of another east", Recipient: in.Recipient}, target.pinned("east"))
	target.untouched(target.token(old), "and cluster east has the key "+in.Recipient)
}

// A worker without the source's kubeconfig must be told so. Then the first key counts, and another
// one only after somebody who may write into the cluster removed the first.
func TestReaderToken_OfASourceThatTheWorkerCannotSee_IsSealedToTheFirstKeyOnly(t *testing.T) {
	_, target, in := tokens(t)
	require.NoError(t, os.Remove(filepath.Join(target.acts.Access.Dirs[0], "east")))
	target.untouched(target.token(in), "start it with --unseen east")

	target.acts.Unseen = []string{"east"}
	require.NoError(t, target.token(in)())
	require.NoError(t, target.token(in)())
	forged := in
	forged.Recipient = newIdentity(t).Recipient().String()
	target.untouched(target.token(forged), inventory.Unpin("east"))
	require.Equal(t, inventory.Pin{Recipient: in.Recipient}, target.pinned("east"))

	configMaps := target.Client.CoreV1().ConfigMaps(fleet.SystemNamespace)
	live, err := configMaps.Get(t.Context(), fleet.InventoryName, metav1.GetOptions{})
	require.NoError(t, err)
	delete(live.Data, "pin.east")
	_, err = configMaps.Update(t.Context(), live, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.NoError(t, target.token(forged)(), "it was removed by hand")
}

// What a rollout writes into an inventory leaves the pins as they are.
func TestAttacker_RewritesTheInventory_ThePinsStay(t *testing.T) {
	_, target, in := tokens(t)
	require.NoError(t, target.token(in)())
	want := target.pinned("east")
	forged := target.inventory()
	forged.Part.Spec.Clusters, forged.Memory.Peers = nil, nil
	_, err := target.acts.EnsureInventory(t.Context(), forged)
	require.NoError(t, err)
	require.Equal(t, want, target.pinned("east"))
}

func TestAttacker_SaysThatTheClusterIsAnother_IsRefused(t *testing.T) {
	w := newWorld(t, "west")
	for range 2 { // before it joined, and after that
		forged := w.inventory()
		forged.Memory.Member.UID = "uid of a cluster of his"
		w.untouched(func() error {
			_, err := w.acts.EnsureInventory(t.Context(), forged)
			return err
		}, "was to be the one with the UID uid of a cluster of his (of namespace kube-system), and is the one with uid of west")
		w.withInventory()
	}
}

func TestAttacker_BringsARootOfHisOwn_NothingIsPluggedInUnderIt(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	his := otherRoot(t)
	is, fingerprint := certs.Fingerprint(fleetRoot.Certificate()), certs.Fingerprint(his.Certificate())
	w.untouched(func() error {
		forged := w.inventory()
		forged.Memory.Root.Fingerprint = fingerprint
		_, err := w.acts.EnsureInventory(t.Context(), forged)
		return err
	}, "cluster west has the root "+is+", and not "+fingerprint)
	w.untouched(func() error {
		_, err := w.acts.RememberRoot(t.Context(), api.RememberRootInput{ClusterRef: w.ref, Root: fleet.KnownRoot{Fingerprint: fingerprint}})
		return err
	}, "cluster west has the root "+is)

	forgets := w.inventory() // one step at a time leads no further
	forgets.Memory.Root = fleet.KnownRoot{}
	_, err := w.acts.EnsureInventory(t.Context(), forgets)
	require.NoError(t, err)
	key := w.intermediateKey()
	key.RootPEM = string(his.CertPEM)
	w.untouched(func() error {
		_, err := w.acts.EnsureIntermediateKey(t.Context(), key)
		return err
	}, "under the root "+fingerprint+", and cluster west has the root "+is)
	good := w.cacerts()
	for _, rootPEM := range []string{string(his.CertPEM), "", "no certificate"} {
		w.untouched(func() error {
			_, err := w.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: rootPEM, CertPEM: good.CertPEM})
			return err
		}, "and cluster west has the root "+is)
	}
}

// signing returns the worker that has the root, in west, and what it is asked when east wants a
// certificate.
func signing(t *testing.T) (east, root *world, in api.SignIntermediateInput) {
	east, root = newWorld(t, "east").withInventory(), newWorld(t, "west").withInventory()
	root.reaches("east", east)
	_, err := root.acts.EnsureRoot(t.Context(), root.root())
	require.NoError(t, err)
	spec := intermediateSpec()
	spec.Cluster = "east"
	key, err := east.acts.EnsureIntermediateKey(t.Context(), api.EnsureIntermediateKeyInput{ClusterRef: east.ref, Spec: spec, RootPEM: string(fleetRoot.CertPEM)})
	require.NoError(t, err)
	member := east.ref
	member.Kubeconfig.Path = "east"
	return east, root, api.SignIntermediateInput{RootRef: api.RootRef{ClusterRef: root.ref}, Member: member, CSR: key.CSR, Spec: spec}
}

func TestAttacker_WantsACertificateForAMemberThatIsNotHis_NothingIsSigned(t *testing.T) {
	_, root, in := signing(t)
	_, err := root.acts.SignIntermediate(t.Context(), in)
	require.NoError(t, err, "east itself gets one")

	_, csr, err := certs.NewRequest(certSpec(in.Spec))
	require.NoError(t, err)
	in.CSR = string(csr)
	for why, change := range map[string]func(*api.SignIntermediateInput){
		"which did not make it (the CSR was made with another key)": func(*api.SignIntermediateInput) {},
		"which did not make it (not a CSR in PEM":                   func(in *api.SignIntermediateInput) { in.CSR = "x" },
		`is said to come from "west"`:                               func(in *api.SignIntermediateInput) { in.Member = root.ref },
		`of the fleet "other"`:                                      func(in *api.SignIntermediateInput) { in.Member.Fleet = "other" },
		"kubeconfig evil is in none of this worker's directories":   func(in *api.SignIntermediateInput) { in.Member.Kubeconfig.Path = "evil" },
		"start it with --unseen evil": func(in *api.SignIntermediateInput) {
			in.Member.Kubeconfig.Path, in.Member.Cluster, in.Spec.Cluster = "evil", "evil", "evil"
		},
		"a CSR of the fleet prod for cluster west is said to come from \"east\"": func(in *api.SignIntermediateInput) { in.Spec.Cluster = "west" },
	} {
		forged := in
		change(&forged)
		root.untouched(func() error {
			out, err := root.acts.SignIntermediate(t.Context(), forged)
			require.Empty(t, out.CertPEM)
			return err
		}, why)
	}

	var other *inventory.OtherMemberError
	in.Member.Cluster, in.Spec.Cluster = "evil", "evil"
	_, err = root.acts.SignIntermediate(t.Context(), in)
	require.ErrorAs(t, err, &other, "the kubeconfig leads to east")
}

// The kubeconfig leads to another cluster than the one that has joined, or no key waits there.
func TestSignIntermediate_OfAClusterThatIsNotWhatItWas_OrThatWantsNone_IsRefused(t *testing.T) {
	east, root, in := signing(t)
	sign := func() error {
		_, err := root.acts.SignIntermediate(t.Context(), in)
		return err
	}
	east.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: "uid of another east"}})
	root.untouched(sign, "was to be the one with the UID uid of east")
	east.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: types.UID(uidNamed("east"))}})
	require.NoError(t, sign())

	_, err := east.acts.RemoveIntermediateKey(t.Context(), api.RemoveInput{ClusterRef: east.ref})
	require.NoError(t, err)
	root.untouched(sign, "in which no key waits for a certificate")
	_, err = east.acts.RemoveInventory(t.Context(), api.RemoveInput{ClusterRef: east.ref})
	require.NoError(t, err)
	var gone *inventory.GoneError
	require.ErrorAs(t, sign(), &gone)
}

// A worker that keeps the root and reaches no cluster is told which ones it signs for unseen.
func TestSignIntermediate_ForAClusterThatTheWorkerCannotSee_WantsItsName(t *testing.T) {
	_, root, in := signing(t)
	require.NoError(t, os.Remove(filepath.Join(root.acts.Access.Dirs[0], "east")))
	sign := func() error {
		_, err := root.acts.SignIntermediate(t.Context(), in)
		return err
	}
	root.untouched(sign, "start it with --unseen east")
	root.acts.Unseen = []string{"north"}
	root.untouched(sign, "start it with --unseen east")
	root.acts.Unseen = []string{"north", "east"}
	require.NoError(t, sign())
}

func TestAttacker_WantsACopyOfTheRoot_GetsNone(t *testing.T) {
	for name, open := range rootPlaces(t) {
		acts, at := open()
		_, err := acts.EnsureRoot(t.Context(), rootInput(at))
		require.NoError(t, err)
		id, err := age.GenerateX25519Identity()
		require.NoError(t, err)
		acts.RootExport = false
		out, err := acts.SealRoot(t.Context(), api.SealRootInput{RootRef: at, Recipients: []string{id.Recipient().String()}})
		var refused *inventory.UntrustedError
		require.ErrorAs(t, err, &refused, name)
		require.ErrorContains(t, err, "--root-export", name)
		require.Empty(t, out.Sealed)
	}
}
