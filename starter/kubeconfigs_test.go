package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const small = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.1"}}]
contexts: [{name: c, context: {cluster: c}}]
`

// A worker follows links within its directory, as a mounted Secret has them, and none
// out of it.
func TestKubeconfigDir_FollowsTheLinksThatAWorkerFollows(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(elsewhere, []byte(small), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "..2026"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "..2026", "east"), []byte(small), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large"), make([]byte, largest+1), 0o600))
	for name, to := range map[string]string{"..data": "..2026", "east": "..data/east", "west": elsewhere, "folder": "..2026"} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	found, err := readKubeconfigs(nil, []string{dir})
	require.NoError(t, err)
	why := map[string]string{}
	for _, k := range found {
		why[k.Path] = k.Why
	}
	require.Equal(t, map[string]string{"east": "", "large": "not a kubeconfig",
		"west": "cannot be read; a worker follows no link out of the directory"}, why)
}

func TestKubeconfigs_ThatHaveOneName_AreCalledByTheirDirectories(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, at := range []string{"a/auth/kubeconfig", "ab/kubeconfig", "a/other"} {
		path := filepath.Join(dir, at)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(small), 0o600))
		files = append(files, path)
	}
	paths := func(files ...string) (out []string) {
		found, err := readKubeconfigs(files, nil)
		require.NoError(t, err)
		for _, k := range found {
			require.FileExists(t, filepath.Join(k.Dir, k.Path), "where a worker looks")
			out = append(out, k.Path)
		}
		return out
	}
	require.Equal(t, []string{"a/auth/kubeconfig", "ab/kubeconfig", "a/other"}, paths(files...))
	require.Equal(t, []string{"kubeconfig", "other"}, paths(files[0], files[2], files[0]), "a file that is named twice is one")
}
