package kube

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/fleet"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", proxy-url: "http://127.0.0.1:2"}}]
users: [{name: u, user: {token: very-secret}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`

func TestOpen_OnlyWhatTheWorkerWasGiven(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "k"), []byte(kubeconfig), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), []byte(kubeconfig), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken"), []byte("token: very-secret: ["), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Join(outside, "k"), filepath.Join(dir, "link")))
	a := Access{Dirs: []string{t.TempDir(), dir}}

	c, err := a.Open("west", fleet.Kubeconfig{Path: "k", Context: "x"})
	require.NoError(t, err)
	require.Equal(t, "https://127.0.0.1:1", c.Config.Host)
	require.NotNil(t, c.Config.Proxy, "proxy-url is honoured")

	for name, ref := range map[string]fleet.Kubeconfig{
		"not there":       {Path: "nothing"},
		"above":           {Path: "../" + filepath.Base(outside) + "/k"},
		"absolute":        {Path: filepath.Join(outside, "k")},
		"a link out":      {Path: "link"},
		"broken":          {Path: "broken"},
		"empty":           {Path: "empty"},
		"a directory":     {Path: "."},
		"unknown context": {Path: "k", Context: "y"},
		"default":         {Context: "x"},
	} {
		_, err := a.Open("west", ref)
		var bad *KubeconfigError
		require.ErrorAs(t, err, &bad, name)
		require.NotContains(t, err.Error(), "very-secret", name)
	}
}

func TestDifference_NamesTheFirstFieldAndNoValue(t *testing.T) {
	live := map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(443), "extra": "x"}}, "name": "n"}, "status": "s"}
	for _, c := range []struct {
		want any
		at   string
	}{
		{map[string]any{"spec": map[string]any{"name": "n"}}, ""},
		{map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": float64(443)}}}}, ""},
		{map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(444)}}}}, "spec.ports[0].port"},
		{map[string]any{"spec": map[string]any{"ports": []any{}}}, "spec.ports"},
		{map[string]any{"spec": map[string]any{"name": "other"}}, "spec.name"},
		{map[string]any{"data": map[string]any{"k": "v"}}, "data"},
		{map[string]any{"data": map[string]any{}}, ""},
	} {
		at, same := Covers(live, c.want)
		require.Equal(t, c.at, at)
		require.Equal(t, c.at == "", same)
	}
}

// Whatever lies in a kubeconfig directory, the worker goes on, and its answer is
// a *KubeconfigError that quotes no token.
func FuzzKubeconfig(f *testing.F) {
	f.Add([]byte(kubeconfig), "x")
	f.Add([]byte(kubeconfig), "")
	f.Add([]byte("clusters: [{name: c}]\ncontexts: [{name: x}]\ncurrent-context: x"), "x")
	f.Add([]byte("clusters: [{name: c, cluster: null}]\nusers: [{name: u, user: {exec: {}}}]"), "")
	f.Add([]byte("{\"clusters\": {\"c\": null}}"), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, context string) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), data, 0o600))
		c, err := Access{Dirs: []string{dir}}.Open("west", fleet.Kubeconfig{Path: "k", Context: context})
		if err == nil {
			require.NotEmpty(t, c.Config.Host)
			return
		}
		var broken *KubeconfigError
		require.ErrorAs(t, err, &broken)
		require.NotContains(t, err.Error(), "very-secret")
	})
}
