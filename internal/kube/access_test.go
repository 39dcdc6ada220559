package kube

import (
	"os"
	"path/filepath"
	"strings"
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
	for name, text := range map[string]string{
		"many":  strings.Replace(kubeconfig, "contexts: [", "contexts: [{name: b, context: {}}, {name: a, context: {}}, ", 1),
		"none":  "clusters: [{name: c, cluster: {server: x}}]",
		"lacks": strings.Replace(kubeconfig, "{token: very-secret}", "{client-certificate: nowhere, client-key: nowhere}", 1),
		"proxy": strings.Replace(kubeconfig, `"http://127.0.0.1:2"`, `":"`, 1),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink(filepath.Join(outside, "k"), filepath.Join(dir, "link")))
	a := Access{Dirs: []string{t.TempDir(), dir}}

	c, err := a.Open(t.Context(), "west", fleet.Kubeconfig{Path: "k", Context: "x"})
	require.NoError(t, err)
	require.Equal(t, "https://127.0.0.1:1", c.Config.Host)
	require.NotNil(t, c.Config.Proxy, "proxy-url is honoured")

	for name, c := range map[string]struct {
		ref  fleet.Kubeconfig
		want string
	}{
		"not there":             {fleet.Kubeconfig{Path: "nothing"}, "kubeconfig nothing is in none of this worker's directories (--kubeconfig-dir)"},
		"above":                 {fleet.Kubeconfig{Path: "../" + filepath.Base(outside) + "/k"}, "cannot be read: path escapes from parent"},
		"absolute":              {fleet.Kubeconfig{Path: filepath.Join(outside, "k")}, "cannot be read: path escapes from parent"},
		"a link out":            {fleet.Kubeconfig{Path: "link"}, "kubeconfig link cannot be read: path escapes from parent"},
		"broken":                {fleet.Kubeconfig{Path: "broken"}, "kubeconfig broken is not a kubeconfig with a cluster in it"},
		"empty":                 {fleet.Kubeconfig{Path: "empty"}, "kubeconfig empty is not a kubeconfig with a cluster in it"},
		"a directory":           {fleet.Kubeconfig{Path: "."}, "kubeconfig . cannot be read: "},
		"unknown context":       {fleet.Kubeconfig{Path: "k", Context: "y"}, `kubeconfig k has no context "y"; it has x`},
		"unknown among many":    {fleet.Kubeconfig{Path: "many", Context: "y"}, `kubeconfig many has no context "y"; it has a, b and x`},
		"no context at all":     {fleet.Kubeconfig{Path: "none", Context: "y"}, `kubeconfig none has no context "y"; it has none`},
		"a file that it lacks":  {fleet.Kubeconfig{Path: "lacks", Context: "x"}, "kubeconfig lacks cannot be used: "},
		"no default was given":  {fleet.Kubeconfig{Context: "x"}, "this worker was started without a default kubeconfig"},
		"a proxy without sense": {fleet.Kubeconfig{Path: "proxy"}, "cannot be used: "},
	} {
		_, err := a.Open(t.Context(), "west", c.ref)
		var bad *KubeconfigError
		require.ErrorAs(t, err, &bad, name)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "very-secret", name)
	}
}

func TestOpen_DefaultKubeconfig_OnlyWhereTheWorkerAllowsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(kubeconfig), 0o600))
	t.Setenv("KUBECONFIG", file)
	c, err := Access{Default: true}.Open(t.Context(), "west", fleet.Kubeconfig{Context: "x"})
	require.NoError(t, err)
	require.Equal(t, "https://127.0.0.1:1", c.Config.Host)
	_, err = Access{Default: true}.Open(t.Context(), "west", fleet.Kubeconfig{Context: "y"})
	require.EqualError(t, err, `kubeconfig (default) has no context "y"; it has x`)

	require.NoError(t, os.WriteFile(file, []byte("token: very-secret: ["), 0o600))
	_, err = Access{Default: true}.Open(t.Context(), "west", fleet.Kubeconfig{Context: "x"})
	require.EqualError(t, err, "the default kubeconfig is not a kubeconfig")
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
		c, err := Access{Dirs: []string{dir}}.Open(t.Context(), "west", fleet.Kubeconfig{Path: "k", Context: context})
		if err == nil {
			require.NotEmpty(t, c.Config.Host)
			return
		}
		var broken *KubeconfigError
		require.ErrorAs(t, err, &broken)
		require.NotContains(t, err.Error(), "very-secret")
	})
}
