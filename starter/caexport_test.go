package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const aRoot = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nBBBB\n-----END EC PRIVATE KEY-----\n"

// fileOf writes a file of the test and returns its path.
func fileOf(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestCA_AnExportedRoot_IsOpenedByIdentityOrPassphrase(t *testing.T) {
	own, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	sealed, err := encryptAll(bytes.NewReader([]byte(aRoot)), own.Recipient())
	require.NoError(t, err)
	pass := fileOf(t, "pass", []byte("correct horse\n"))
	with, err := underPassphrase(sealed, own, pass)
	require.NoError(t, err)
	for _, c := range []struct {
		data           []byte
		identity, word string
	}{{sealed, fileOf(t, "key", []byte("# a comment\n"+own.String()+"\n")), ""}, {with, "", pass}} {
		plain, err := openRoot(fileOf(t, "root.age", c.data), c.identity, c.word)
		require.NoError(t, err)
		require.Equal(t, aRoot, string(plain))
	}
}

func TestCA_WhatIsNoRoot_IsRefusedInOneSentenceWithoutQuotingIt(t *testing.T) {
	own, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	seal := func(text string) string {
		data, err := encryptAll(bytes.NewReader([]byte(text)), own.Recipient())
		require.NoError(t, err)
		return fileOf(t, "root.age", data)
	}
	key := fileOf(t, "key", []byte(own.String()))
	for name, c := range map[string]struct{ file, identity, pass, want string }{
		"nothing opens it":        {seal(aRoot), "", "", "--identity, or --passphrase-file"},
		"two open it":             {seal(aRoot), key, key, "--identity, or --passphrase-file"},
		"no file":                 {"none.age", key, "", "none.age"},
		"another identity":        {seal(aRoot), fileOf(t, "other", []byte(other.String())), "", "cannot be opened with this"},
		"no identity in the file": {seal(aRoot), fileOf(t, "bad", []byte("HIDDEN")), "", "has no age identity"},
		"an empty passphrase":     {seal(aRoot), "", fileOf(t, "empty", nil), "is empty"},
		"not encrypted":           {fileOf(t, "plain", []byte(aRoot)), key, "", "cannot be opened with this"},
		"no certificate":          {seal("HIDDEN"), key, "", "want a certificate in PEM first"},
		"no key":                  {seal(aRoot[:62]), key, "", "want a private key in PEM after"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openRoot(c.file, c.identity, c.pass)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "HIDDEN")
		})
	}
}

func TestCA_APlaceThatMakesNoSense_IsRefused(t *testing.T) {
	f, err := fleet.Parse("fleet.yaml", []byte("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: test}\nspec:\n  taskQueue: all\n  clusters:\n  - {name: east, network: east, kubeconfig: {path: east}, taskQueue: far}\n"))
	require.NoError(t, err)
	for _, c := range []struct {
		to, cluster, queue string
		place              fleet.RootStore
		want               string
	}{
		{"cluster", "east", "", fleet.RootStore{Cluster: "east", TaskQueue: "far"}, ""},
		{"sealed", "east", "", fleet.RootStore{Cluster: "east", TaskQueue: "far", Sealed: true}, ""},
		{"directory", "", "other", fleet.RootStore{TaskQueue: "other"}, ""},
		{"directory", "", "", fleet.RootStore{}, "names this place already"},
		{"directory", "east", "", fleet.RootStore{}, "--cluster goes with"},
		{"cluster", "", "", fleet.RootStore{}, "want a cluster of the fleet"},
		{"sealed", "west", "", fleet.RootStore{}, `got "west"`},
		{"cluster", "east", "other", fleet.RootStore{}, "--task-queue goes with --to directory"},
		{"vault", "", "", fleet.RootStore{}, "want directory, cluster or sealed"},
	} {
		place, err := placeOf(f, c.to, c.cluster, c.queue)
		if c.want == "" {
			require.NoError(t, err)
			require.Equal(t, c.place, place)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
	no := false
	f.Spec.CA.Manage = &no
	_, err = placeOf(f, "cluster", "east", "")
	require.ErrorContains(t, err, "existing CA")
	f.Spec.CA = fleet.CA{Issuer: fleet.Issuer{CFSSL: fleet.CFSSL{URL: "https://cfssl.example.com"}}}
	_, err = placeOf(f, "cluster", "east", "")
	require.ErrorContains(t, err, "the root of the fleet test is its issuer's (spec.ca.issuer)")
}

func TestCA_Show_DifferentRootsOrUnreadOnes_AreExitCode3(t *testing.T) {
	whole := func() api.CAResult {
		return api.CAResult{Root: api.CheckRootResult{Facts: api.CertificateFacts{Fingerprint: "sha256:1"}, Kept: "here"},
			Clusters: []api.ClusterCA{{Name: "east", CheckIntermediateResult: api.CheckIntermediateResult{Root: "sha256:1", Known: fleet.KnownRoot{Fingerprint: "sha256:1"}}}}}
	}
	require.NoError(t, caError(whole(), true))
	for want, spoil := range map[string]func(*api.CAResult){
		"different roots":      func(r *api.CAResult) { r.Clusters[0].Root = "sha256:2" },
		"2 different roots":    func(r *api.CAResult) { r.Clusters[0].Known.Fingerprint = "sha256:2" },
		"1 place could not be": func(r *api.CAResult) { r.Clusters[0].Why = "unreachable" },
		"1 place could not":    func(r *api.CAResult) { r.Root = api.CheckRootResult{Why: "gone"} },
	} {
		r := whole()
		spoil(&r)
		var coded *exitError
		require.ErrorAs(t, caError(r, true), &coded)
		require.Equal(t, exitPartly, coded.code)
		require.ErrorContains(t, coded, want)
	}
}

func TestCA_AFileThatIsThere_IsNotOverwritten(t *testing.T) {
	path := fileOf(t, "root.age", []byte("before"))
	require.Error(t, writeNew(path, []byte("after")))
	fresh := filepath.Join(t.TempDir(), "new.age")
	require.NoError(t, writeNew(fresh, []byte("after")))
	info, err := os.Stat(fresh)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
