package activities

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// twoRoots makes a root and the one that is to take its place, wherever they are kept.
func twoRoots(t *testing.T, a *Activities, at api.RootRef) api.MakeNextRootResult {
	t.Helper()
	root, err := a.EnsureRoot(t.Context(), rootInput(at))
	require.NoError(t, err)
	in := api.MakeNextRootInput{RootRef: at, CA: rootInput(at).CA, Known: api.MemberRoot{Cluster: "west", KnownRoot: fleet.KnownRoot{Fingerprint: root.Facts.Fingerprint}}}
	both, err := a.MakeNextRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, root.CertPEM, both.OldPEM)
	require.NotEqual(t, both.Old, both.Next)
	require.NotContains(t, fmt.Sprint(both), "PRIVATE KEY")
	require.Equal(t, string(certs.Bundle([]byte(both.OldPEM), []byte(both.NextPEM))), both.TrustPEM)
	again, err := a.MakeNextRoot(t.Context(), in)
	require.NoError(t, err)
	require.NoError(t, certs.CheckCrossSigned([]byte(again.CrossPEM), []byte(both.OldPEM), []byte(both.NextPEM)), "the old root vouches for it")
	again.CrossPEM = both.CrossPEM
	require.Equal(t, both, again, "one that waits is taken")
	return both
}

// ensured returns what a rollout gets of the root in a phase.
func ensured(t *testing.T, a *Activities, at api.RootRef, both api.MakeNextRootResult, phase fleet.RootPhase) api.EnsureRootResult {
	t.Helper()
	in := rootInput(at)
	in.Known = []api.MemberRoot{{Cluster: "west", KnownRoot: fleet.KnownRoot{Fingerprint: both.Old}}}
	in.Next = fleet.NextRoot{Fingerprint: both.Next, Phase: phase, Done: true}
	got, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, both.Old, got.Facts.Fingerprint, "the members know that one")
	return got
}

func TestNextRoot_InEveryPlace_WaitsBesideAndTakesOver(t *testing.T) {
	for name, place := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			a, at := place()
			both := twoRoots(t, a, at)
			for phase, signs := range map[fleet.RootPhase]string{fleet.RootTrusted: both.OldPEM, fleet.RootSigns: both.NextPEM} {
				got := ensured(t, a, at, both, phase)
				require.Equal(t, signs, got.CertPEM)
				require.Equal(t, both.TrustPEM, got.TrustPEM, "in one order, so that istiod sees no change of it")
			}
			for range 2 { // an answer that was lost
				_, err := a.EndRootChange(t.Context(), api.EndRootChangeInput{RootRef: at, Stays: both.Next, Goes: both.Old})
				require.NoError(t, err)
			}
			in := rootInput(at)
			in.Known = []api.MemberRoot{{KnownRoot: fleet.KnownRoot{Fingerprint: both.Next}}}
			got, err := a.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, both.NextPEM, got.CertPEM)
			require.Empty(t, got.TrustPEM)
		})
	}
}

// A root that nobody trusts yet is not taken for another one than is asked for. One that the
// clusters trust stays the one.
func TestNextRoot_WaitsAndIsNotAsTheFleetFileSays_IsRefusedUntilItIsTrusted(t *testing.T) {
	for name, place := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			a, at := place()
			both := twoRoots(t, a, at)
			in := api.MakeNextRootInput{RootRef: at, CA: rootInput(at).CA, Known: api.MemberRoot{Cluster: "west", KnownRoot: fleet.KnownRoot{Fingerprint: both.Old}}}
			in.CA.RootLifetime += fleet.Duration(24 * time.Hour)
			_, err := a.MakeNextRoot(t.Context(), in)
			require.ErrorContains(t, err, "the root "+both.Next+" waits")
			require.ErrorContains(t, err, "is not as spec.ca says: its lifetime is")
			in.Begun = both.Next
			again, err := a.MakeNextRoot(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, both.Next, again.Next)
		})
	}
}

func TestNextRoot_GoneBack_IsRemoved(t *testing.T) {
	for name, place := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			a, at := place()
			both := twoRoots(t, a, at)
			_, err := a.EndRootChange(t.Context(), api.EndRootChangeInput{RootRef: at, Stays: both.Old, Goes: both.Next})
			require.NoError(t, err)
			in := rootInput(at)
			in.Known = []api.MemberRoot{{KnownRoot: fleet.KnownRoot{Fingerprint: both.Old}}}
			got, err := a.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, both.OldPEM, got.CertPEM)
			in.Next = fleet.NextRoot{Fingerprint: both.Next, Phase: fleet.RootTrusted}
			_, err = a.EnsureRoot(t.Context(), in)
			require.ErrorContains(t, err, "the root is being changed to "+both.Next+", which does not wait")
		})
	}
}

// A try that hung comes back when another change of the root is under way.
func TestNextRoot_OfALaterChange_IsNotTouchedByOneThatCameLate(t *testing.T) {
	for name, place := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			a, at := place()
			first := twoRoots(t, a, at)
			late := api.EndRootChangeInput{RootRef: at, Stays: first.Next, Goes: first.Old}
			_, err := a.EndRootChange(t.Context(), late)
			require.NoError(t, err)
			second, err := a.MakeNextRoot(t.Context(), api.MakeNextRootInput{RootRef: at, CA: rootInput(at).CA, Known: api.MemberRoot{Cluster: "west", KnownRoot: fleet.KnownRoot{Fingerprint: first.Next}}})
			require.NoError(t, err)
			require.Equal(t, first.NextPEM, second.OldPEM)
			for _, stays := range []string{late.Stays, late.Goes} {
				late.Stays, late.Goes = stays, map[string]string{first.Next: first.Old, first.Old: first.Next}[stays]
				_, err = a.EndRootChange(t.Context(), late)
				require.NoError(t, err)
				got := ensured(t, a, at, second, fleet.RootSigns)
				require.Equal(t, second.TrustPEM, got.TrustPEM)
			}
		})
	}
}

// An input can have anything for a fleet: what waits beside a root is no root of a fleet, into
// which somebody could bring one of his own.
func TestAttacker_NamesTheNextRootAsAFleet_IsRefused(t *testing.T) {
	a, in := directoryRoot(t)
	twoRoots(t, a, in.RootRef)
	for _, beside := range []string{".next", ".old"} {
		forged := in
		forged.Fleet += beside
		_, err := a.OfferRoot(t.Context(), api.OfferRootInput{RootRef: forged.RootRef})
		require.ErrorContains(t, err, "is no name of a fleet")
	}
}

// The run that ended the change was lost before it could tidy up: the members know the next root.
func TestNextRoot_ThatTheMembersKnow_TakesOverWithTheNextRollout(t *testing.T) {
	for name, place := range rootPlaces(t) {
		t.Run(name, func(t *testing.T) {
			a, at := place()
			both := twoRoots(t, a, at)
			in := rootInput(at)
			in.Known = []api.MemberRoot{{KnownRoot: fleet.KnownRoot{Fingerprint: both.Next}}}
			in.DryRun = true
			got, err := a.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, both.NextPEM, got.CertPEM)
			in.DryRun = false
			for range 2 {
				got, err = a.EnsureRoot(t.Context(), in)
				require.NoError(t, err)
				require.Equal(t, both.NextPEM, got.CertPEM)
			}
			_, err = a.RemoveRoot(t.Context(), api.RemoveInput{ClusterRef: at.ClusterRef})
			require.NoError(t, err)
			in.Known = nil
			anew, err := a.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
			require.NotContains(t, []string{both.OldPEM, both.NextPEM}, anew.CertPEM, "a cleanup removes both")
		})
	}
}

// A worker that dies while it moves directories goes on from there.
func TestNextRoot_InADirectory_InterruptedAtEachMove_GoesOn(t *testing.T) {
	for moves := range 3 {
		a, in := directoryRoot(t)
		both := twoRoots(t, a, in.RootRef)
		dir := filepath.Join(a.RootDir, in.Fleet)
		for i, move := range [][2]string{{dir, dir + ".old"}, {dir + ".next", dir}} {
			if i < moves {
				require.NoError(t, os.Rename(move[0], move[1]))
			}
		}
		_, err := a.EndRootChange(t.Context(), api.EndRootChangeInput{RootRef: in.RootRef, Stays: both.Next, Goes: both.Old})
		require.NoError(t, err)
		in.Known = []api.MemberRoot{{KnownRoot: fleet.KnownRoot{Fingerprint: both.Next}}}
		got, err := a.EnsureRoot(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, both.NextPEM, got.CertPEM)
		for _, gone := range []string{".old", ".next"} {
			require.NoDirExists(t, dir+gone, "the old key is removed")
		}
	}
}

func TestNextRoot_ThatTheClustersTrust_IsNotMadeAgain(t *testing.T) {
	a, in := directoryRoot(t)
	root, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	_, err = a.MakeNextRoot(t.Context(), api.MakeNextRootInput{RootRef: in.RootRef, CA: in.CA, Known: api.MemberRoot{KnownRoot: fleet.KnownRoot{Fingerprint: root.Facts.Fingerprint}}, Begun: "sha256:1"})
	var bad *RootError
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "the clusters trust the new root sha256:1 already, and it does not wait in the root directory of a worker")
}

func TestSignIntermediate_ByTheRootThatSignsNow(t *testing.T) {
	a, in := directoryRoot(t)
	both := twoRoots(t, a, in.RootRef)
	a.Unseen = []string{"west"}
	_, csr, err := certs.NewRequest(certSpec(intermediateSpec()))
	require.NoError(t, err)
	for _, by := range []string{both.OldPEM, both.NextPEM} {
		signed, err := a.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, CSR: string(csr), Spec: intermediateSpec(), RootPEM: by})
		require.NoError(t, err)
		require.NoError(t, certs.CheckIntermediate([]byte(signed.CertPEM), []byte(by), certSpec(intermediateSpec())))
	}
	_, err = a.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, CSR: string(csr), Spec: intermediateSpec(), RootPEM: "another"})
	require.ErrorContains(t, err, "this worker does not have the root of the fleet")
}

func TestIntermediate_UnderTwoRoots_StaysAsLongAsTheRightOneSigned(t *testing.T) {
	w := newWorld(t, "west")
	other := otherRoot(t)
	trust := certs.Bundle(fleetRoot.CertPEM, other.CertPEM)
	set := issued(t, fleetRoot, 90*24*3600e9)
	w.putCACerts(certs.NewCACerts(trust, set.CACert, set.CAKey), map[string]string{fleet.LabelFleet: "prod"})
	w.remembers(fleet.RootTrusted, other)
	in := w.intermediateKey()
	in.TrustPEM = string(trust)
	got, err := w.acts.EnsureIntermediateKey(t.Context(), in)
	require.NoError(t, err)
	require.True(t, got.Current)
	w.remembers(fleet.RootSigns, other)
	in.RootPEM = string(other.CertPEM) // that one signs now
	got, err = w.acts.EnsureIntermediateKey(t.Context(), in)
	require.NoError(t, err)
	require.False(t, got.Current)
	in = w.intermediateKey() // and one that knows one root only
	_, err = w.acts.EnsureIntermediateKey(t.Context(), in)
	require.ErrorContains(t, err, "nothing was changed; roll out again")
}

func TestRestartIstiod_EachDeployment_OncePerMark(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	for _, d := range []struct{ name, app string }{{"istiod", "istiod"}, {"istiod-canary", "istiod"}, {"istio-eastwestgateway", "other"}} {
		w.Put(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: d.name, Namespace: "istio-system", Labels: map[string]string{"app": d.app}}, Spec: appsv1.DeploymentSpec{Replicas: ptr(1)},
			Status: appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
				Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue}}}})
	}
	w.server.Authorize = granted
	in := api.RestartIstiodInput{ClusterRef: w.ref, Mark: "first"}
	got, err := w.acts.RestartIstiod(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"istiod", "istiod-canary"}, got.Restarted)
	d, err := w.Client.AppsV1().Deployments("istio-system").Get(t.Context(), "istiod", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "first", d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"])
	writes := len(w.Writes())
	_, err = w.acts.RestartIstiod(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, w.Writes()[writes:])
}
