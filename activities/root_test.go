package activities

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// directoryRoot returns a worker that keeps roots in a directory.
func directoryRoot(t *testing.T) (*Activities, api.EnsureRootInput) {
	t.Helper()
	w := &world{t: t, ref: api.ClusterRef{Fleet: "prod", Run: firstRun}}
	return &Activities{RootDir: filepath.Join(t.TempDir(), "roots"), RootExport: true}, w.root()
}

func TestRoot_InADirectory_IsMadeOnceAndKeptFromOthers(t *testing.T) {
	a, in := directoryRoot(t)
	dry := in
	dry.DryRun = true
	would, err := a.EnsureRoot(t.Context(), dry)
	require.NoError(t, err)
	require.Equal(t, []string{"create Root /prod"}, actions(would.All()))
	require.NoDirExists(t, filepath.Join(a.RootDir, "prod"))

	first, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"create Root /prod"}, actions(first.All()))
	require.Equal(t, "CN=Root CA,O=my-company.org", first.Facts.Subject)
	in.Run = "run-2"
	again, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"keep Root /prod"}, actions(again.All()))
	require.Equal(t, first.CertPEM, again.CertPEM)
	require.NoError(t, filepath.WalkDir(a.RootDir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is for its owner only", path)
		return nil
	}))
}

func TestRoot_InADirectory_IsRemovedByItsRunOrByACleanup(t *testing.T) {
	a, in := directoryRoot(t)
	_, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	for _, c := range []struct {
		remove api.RemoveInput
		want   []string
		stays  bool
	}{
		{api.RemoveInput{ClusterRef: in.ClusterRef, OnlyRun: "run-2"}, nil, true},
		{api.RemoveInput{ClusterRef: api.ClusterRef{Fleet: "other"}}, nil, true},
		{api.RemoveInput{ClusterRef: api.ClusterRef{Fleet: "prod", DryRun: true}}, []string{"remove Root /prod"}, true},
		{api.RemoveInput{ClusterRef: in.ClusterRef, OnlyRun: firstRun}, []string{"remove Root /prod"}, false},
		{api.RemoveInput{ClusterRef: in.ClusterRef}, nil, false},
	} {
		changes, err := a.RemoveRoot(t.Context(), c.remove)
		require.NoError(t, err)
		require.Equal(t, c.want, actions(changes.All()))
		_, err = os.Stat(filepath.Join(a.RootDir, "prod"))
		require.Equal(t, c.stays, err == nil)
	}
}

func TestRoot_InADirectory_BrokenOrHalf_IsNeverReplaced(t *testing.T) {
	a, in := directoryRoot(t)
	first, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	dir := filepath.Join(a.RootDir, "prod")
	require.NoError(t, os.Rename(filepath.Join(dir, rootKeyName), filepath.Join(dir, "backup")))
	var bad *RootError
	_, err = a.EnsureRoot(t.Context(), in)
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "put it back from your backup")

	require.NoError(t, os.WriteFile(filepath.Join(dir, rootKeyName), []byte("very secret"), 0o600))
	_, err = a.EnsureRoot(t.Context(), in)
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "the kept root cannot be used")
	require.NotContains(t, err.Error(), "very secret")

	require.NoError(t, os.Rename(filepath.Join(dir, "backup"), filepath.Join(dir, rootKeyName)))
	again, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, first.CertPEM, again.CertPEM)

	require.NoError(t, os.Remove(filepath.Join(dir, rootCertName)))
	_, err = a.EnsureRoot(t.Context(), in)
	require.ErrorContains(t, err, "put it back from your backup")
}

// A directory that moved, another worker, another place in the fleet file: none makes a
// second root beside the one that the members know.
func TestRoot_MembersKnowOne_NoOtherTakesItsPlace(t *testing.T) {
	for name, place := range map[string]func() (*Activities, api.EnsureRootInput){
		"directory": func() (*Activities, api.EnsureRootInput) { return directoryRoot(t) },
		"Secret":    func() (*Activities, api.EnsureRootInput) { w := newWorld(t, "west"); return w.acts, w.root() },
	} {
		t.Run(name, func(t *testing.T) {
			known := []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: "sha256:1", Kept: "in cluster north"}}}
			a, in := place()
			in.Known = known
			var refused *RootError
			for _, dry := range []bool{true, false} {
				in.DryRun = dry
				_, err := a.EnsureRoot(t.Context(), in)
				require.ErrorAs(t, err, &refused)
				require.ErrorContains(t, err, "the fleet has the root sha256:1 (cluster east), which was kept in cluster north, and there is none")
			}
			in.Known = nil
			made, err := a.EnsureRoot(t.Context(), in)
			require.NoError(t, err, "nothing was made before")
			require.True(t, made.Created())

			in.Known = known
			_, err = a.EnsureRoot(t.Context(), in)
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, "is "+made.Facts.Fingerprint)
			in.Known = []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: made.Facts.Fingerprint}}}
			_, err = a.EnsureRoot(t.Context(), in)
			require.NoError(t, err)
		})
	}
}

// Whatever number of tries and workers make a root at once, there is one in the end.
func TestRoot_MadeByManyAtOnce_IsOne(t *testing.T) {
	dir, inDir := directoryRoot(t)
	w := newWorld(t, "west")
	for _, c := range []struct {
		name string
		acts *Activities
		in   api.EnsureRootInput
	}{{"directory", dir, inDir}, {"Secret", w.acts, w.root()}} {
		t.Run(c.name, func(t *testing.T) {
			var all sync.WaitGroup
			certs := make([]string, 8)
			for i := range certs {
				all.Go(func() {
					out, err := c.acts.EnsureRoot(t.Context(), c.in)
					assert.NoError(t, err)
					certs[i] = out.CertPEM
				})
			}
			all.Wait()
			require.NotEmpty(t, certs[0])
			require.Len(t, slices.Compact(certs), 1)
		})
	}
}

// The name of a fleet is a word of whoever asks, and a directory is removed by it.
func TestRoot_OfAFleetWhoseNameLeadsElsewhere_TouchesNothingThere(t *testing.T) {
	a, in := directoryRoot(t)
	_, err := a.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	outside := filepath.Join(filepath.Dir(a.RootDir), "outside")
	require.NoError(t, os.Mkdir(outside, 0o700))
	for _, name := range []string{"", ".", "..", "../outside", "prod/..", "prod/../../outside", outside, "prod/x"} {
		_, err := a.RemoveRoot(t.Context(), api.RemoveInput{ClusterRef: api.ClusterRef{Fleet: name}})
		require.ErrorContains(t, err, "is no name of a fleet", name)
		require.DirExists(t, outside)
		require.FileExists(t, filepath.Join(a.RootDir, "prod", rootKeyName))
	}
}

func TestRoot_ByAWorkerThatKeepsNone_SaysWhatToDo(t *testing.T) {
	_, in := directoryRoot(t)
	_, err := (&Activities{}).EnsureRoot(t.Context(), in)
	var bad *RootError
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "--root-dir")
}

func TestRoot_InACluster_OutlivesTheInventoryUntilItIsRemoved(t *testing.T) {
	w := newWorld(t, "west")
	_, err := w.acts.EnsureRoot(t.Context(), w.root())
	require.NoError(t, err)
	w.withInventory()
	_, err = w.acts.RemoveInventory(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.NotNil(t, w.namespace(fleet.SystemNamespace), "the root is in it")
	changes, err := w.acts.RemoveRoot(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, []string{"remove Secret landbridge-system/landbridge-root-ca", "remove Namespace /landbridge-system"}, actions(changes.All()))
	ns, err := readNamespace(t.Context(), w.Cluster.Cluster, fleet.SystemNamespace)
	require.NoError(t, err)
	require.Nil(t, ns)
}

func TestRoot_InACluster_OfAnotherFleet_SignsNothing(t *testing.T) {
	w := newWorld(t, "west")
	s := secret(fleet.SystemNamespace, rootSecret, corev1.SecretTypeOpaque, map[string][]byte{rootCertName: fleetRoot.CertPEM, rootKeyName: fleetRoot.KeyPEM})
	s.Labels = map[string]string{fleet.LabelFleet: "other"}
	w.Put(s)
	_, err := w.acts.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: api.RootRef{ClusterRef: w.ref}, Spec: intermediateSpec()})
	var notOurs *kube.NotOursError
	require.ErrorAs(t, err, &notOurs)
	require.ErrorContains(t, err, "belongs to the fleet other")
}
