package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
)

// remembers has the cluster's inventory be in a phase of a change from the fleet's root to another
// one.
func (w *world) remembers(phase fleet.RootPhase, next *certs.Root) {
	w.t.Helper()
	in := w.inventory()
	in.Memory.Root.Next = fleet.NextRoot{Fingerprint: certs.Fingerprint(next.Certificate()), Phase: phase, Done: true}
	inv, err := inventory.Read(w.t.Context(), w.Cluster.Cluster)
	require.NoError(w.t, err)
	if inv == nil {
		_, err = w.acts.EnsureInventory(w.t.Context(), in)
	} else {
		_, err = w.acts.RememberRoot(w.t.Context(), api.RememberRootInput{ClusterRef: w.ref, Root: in.Memory.Root})
	}
	require.NoError(w.t, err)
}

// remembered returns what the cluster remembers of it.
func (w *world) remembered() fleet.KnownRoot {
	w.t.Helper()
	inv, err := inventory.Read(w.t.Context(), w.Cluster.Cluster)
	require.NoError(w.t, err)
	return inv.Memory.Root
}

// begins returns the input with which a member begins a phase of a change to another root, for
// which by vouches.
func (w *world) begins(phase fleet.RootPhase, by, next *certs.Root) api.RememberRootInput {
	w.t.Helper()
	cross, err := by.CrossSign(next)
	require.NoError(w.t, err)
	return api.RememberRootInput{ClusterRef: w.ref, NextRoot: api.NextRoot{NextPEM: string(next.CertPEM), CrossPEM: string(cross)},
		Root: fleet.KnownRoot{Fingerprint: certs.Fingerprint(fleetRoot.Certificate()), Next: fleet.NextRoot{Fingerprint: certs.Fingerprint(next.Certificate()), Phase: phase}}}
}

// withRoot plugs a cacerts of the fleet's root in.
func (w *world) withRoot() *world {
	w.t.Helper()
	w.putCACerts(issued(w.t, fleetRoot, 90*24*3600e9), map[string]string{fleet.LabelFleet: "prod"})
	return w
}

func TestNextRoot_ForWhichTheOldOneVouches_IsAccepted(t *testing.T) {
	w := newWorld(t, "west").withInventory().withRoot()
	in := w.begins(fleet.RootTrusted, fleetRoot, otherRoot(t))
	for range 2 { // an answer that was lost
		_, err := w.acts.RememberRoot(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, in.Root, w.remembered())
	}
	in.Root.Next.Done, in.NextRoot = true, api.NextRoot{}
	_, err := w.acts.RememberRoot(t.Context(), in)
	require.NoError(t, err, "it is accepted once")
	rollout := w.inventory() // one that knows nothing of it
	_, err = w.acts.EnsureInventory(t.Context(), rollout)
	require.NoError(t, err)
	require.Equal(t, in.Root, w.remembered())
}

func TestAttacker_BringsANextRootOfHisOwn_NoClusterAcceptsIt(t *testing.T) {
	w := newWorld(t, "west").withInventory().withRoot()
	his := otherRoot(t)
	is, fingerprint := certs.Fingerprint(fleetRoot.Certificate()), certs.Fingerprint(his.Certificate())
	own := w.begins(fleet.RootTrusted, his, his)
	genuine := w.begins(fleet.RootTrusted, fleetRoot, otherRoot(t))
	for name, forge := range map[string]func(*api.RememberRootInput){
		"he vouches for it himself":            func(*api.RememberRootInput) {},
		"nobody does":                          func(in *api.RememberRootInput) { in.CrossPEM = "" },
		"the fleet's root, for another one":    func(in *api.RememberRootInput) { in.CrossPEM = genuine.CrossPEM },
		"its own self-signed certificate":      func(in *api.RememberRootInput) { in.CrossPEM = string(fleetRoot.CertPEM) },
		"the certificate of a member":          func(in *api.RememberRootInput) { in.CrossPEM = string(issued(t, fleetRoot, 90*24*3600e9).CACert) },
		"he says that his is the root already": func(in *api.RememberRootInput) { in.Root.Fingerprint = fingerprint },
	} {
		forged := own
		forge(&forged)
		w.untouched(func() error {
			_, err := w.acts.RememberRoot(t.Context(), forged)
			return err
		}, "the root "+is)
		require.Empty(t, w.remembered().Next, name)
	}
	w.untouched(func() error {
		forged := genuine
		forged.Root.Next.Fingerprint = fingerprint
		_, err := w.acts.RememberRoot(t.Context(), forged)
		return err
	}, "cluster west was to accept the next root "+fingerprint+", and the certificate that came with that is not of it")
}

// Once the next root is accepted, no input can put another one in its place, skip a phase, or
// bring the old root back.
func TestAttacker_WhileTheRootIsChanged_LeadsItNowhereElse(t *testing.T) {
	next, his := otherRoot(t), otherRoot(t)
	fingerprint := certs.Fingerprint(next.Certificate())
	for phase := fleet.RootTrusted; phase <= fleet.RootReplaced; phase++ {
		w := newWorld(t, "west")
		w.remembers(phase, next)
		w.withRoot()
		w.untouched(func() error {
			_, err := w.acts.RememberRoot(t.Context(), w.begins(phase, fleetRoot, his))
			return err
		}, "is being changed to "+fingerprint)
		for to := fleet.RootAlone; to <= fleet.RootReplaced; to++ {
			in := w.begins(to, fleetRoot, next)
			if to+1 < phase || to > phase+1 {
				w.untouched(func() error {
					_, err := w.acts.RememberRoot(t.Context(), in)
					return err
				}, "would be more than one phase further")
			}
		}
		over := api.RememberRootInput{ClusterRef: w.ref, Root: fleet.KnownRoot{Fingerprint: fingerprint}}
		if phase < fleet.RootReplaced {
			w.untouched(func() error {
				_, err := w.acts.RememberRoot(t.Context(), over)
				return err
			}, "a fleet keeps its root until")
			continue
		}
		_, err := w.acts.RememberRoot(t.Context(), over)
		require.NoError(t, err)
		for _, back := range []fleet.KnownRoot{{Fingerprint: certs.Fingerprint(fleetRoot.Certificate())}, w.begins(phase, fleetRoot, next).Root} {
			w.untouched(func() error {
				_, err := w.acts.RememberRoot(t.Context(), api.RememberRootInput{ClusterRef: w.ref, Root: back})
				return err
			}, "the root "+fingerprint)
		}
	}
}

// cacerts gets exactly what belongs to the phase that the cluster remembers, so that a step of
// another phase that comes late changes nothing.
func TestCACerts_InEachPhase_HaveTheRootsOfThatPhaseOnly(t *testing.T) {
	next := otherRoot(t)
	old, new := string(fleetRoot.CertPEM), string(next.CertPEM)
	both := string(trusted(fleetRoot, next))
	of := map[fleet.RootPhase][2]string{fleet.RootAlone: {old, ""}, fleet.RootTrusted: {old, both}, fleet.RootSigns: {new, both}, fleet.RootReplaced: {new, ""}}
	for is := range of {
		for asked, roots := range of {
			w := newWorld(t, "west")
			w.remembers(is, next)
			w.withRoot()
			key := w.intermediateKey()
			key.Anew, key.RootPEM, key.TrustPEM = true, roots[0], roots[1]
			did := func() error {
				_, err := w.acts.EnsureIntermediateKey(t.Context(), key)
				return err
			}
			if is == asked {
				require.NoError(t, did(), is)
				continue
			}
			w.untouched(did, "nothing was changed; roll out again")
		}
	}
}

// What a phase wrote is put back with the roots that were trusted before, as long as the cluster
// knows both; once the change is over, nothing brings the old root back.
func TestCACerts_OfAPhaseThatFails_ArePutBack_AndNeverAfterTheLast(t *testing.T) {
	for _, over := range []bool{false, true} {
		next := otherRoot(t)
		w := newWorld(t, "west").withInventory()
		_, err := w.acts.EnsureCACerts(t.Context(), w.cacerts())
		require.NoError(t, err)
		for phase := fleet.RootTrusted; phase <= fleet.RootReplaced; phase++ {
			_, err = w.acts.RememberRoot(t.Context(), w.begins(phase, fleetRoot, next))
			require.NoError(t, err)
		}
		before := w.inForce()
		key := w.intermediateKey()
		key.Anew, key.RootPEM = true, string(next.CertPEM)
		made, err := w.acts.EnsureIntermediateKey(t.Context(), key)
		require.NoError(t, err)
		cert, err := next.Sign([]byte(made.CSR), certSpec(intermediateSpec()))
		require.NoError(t, err)
		_, err = w.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: string(next.CertPEM), CertPEM: string(cert), KeepBefore: true})
		require.NoError(t, err)
		require.NoError(t, w.inForce().Check(next.CertPEM))
		if !over {
			_, err = w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
			require.NoError(t, err)
			require.Equal(t, before, w.inForce())
			continue
		}
		_, err = w.acts.RememberRoot(t.Context(), api.RememberRootInput{ClusterRef: w.ref, Root: fleet.KnownRoot{Fingerprint: certs.Fingerprint(next.Certificate())}})
		require.NoError(t, err)
		w.untouched(func() error {
			_, err := w.acts.PutBackCACerts(t.Context(), api.PutBackCACertsInput{ClusterRef: w.ref})
			return err
		}, "it is not put back")
	}
}

// A cluster whose cacerts was lost has nothing by which it could check another root.
func TestNextRoot_WithoutACACerts_IsNotAccepted(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.untouched(func() error {
		_, err := w.acts.RememberRoot(t.Context(), w.begins(fleet.RootTrusted, fleetRoot, otherRoot(t)))
		return err
	}, "cluster west has not the root "+certs.Fingerprint(fleetRoot.Certificate())+" of its inventory in its Secret istio-system/cacerts")
}
