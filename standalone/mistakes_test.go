package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/worker/serve"
)

func TestStandalone_EachMistake_IsOneSentence(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer held.Close()
	_, busy, err := net.SplitHostPort(held.Addr().String())
	require.NoError(t, err)
	dir, two := t.TempDir(), freePorts(t, 2)
	free, free2 := two[0], two[1]
	t.Setenv("XDG_STATE_HOME", dir)
	file, old := filepath.Join(dir, "file"), filepath.Join(dir, "old")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Mkdir(old, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(old, "temporal.version"), []byte("1.0.0\n"), 0o600))
	for name, c := range map[string]struct {
		args string
		code int
		want []string
	}{
		"a typo":                  {"--no-iu", serve.ExitUsage, []string{"there is no flag --no-iu", "landbridge-standalone --help"}},
		"a port that cannot be":   {"--port 65536", serve.ExitUsage, []string{"--port", "65536"}},
		"no port":                 {"--port 0", serve.ExitUsage, []string{"--port"}},
		"a UI port out of range":  {"--ui-port -1", serve.ExitUsage, []string{"--ui-port", "-1"}},
		"no UI port":              {"--ui-port 0", serve.ExitUsage, []string{"--ui-port", "--no-ui"}},
		"one port for both":       {"--port 7300 --ui-port 7300", serve.ExitUsage, []string{"--ui-port", "7300", "choose another"}},
		"no codec port":           {"--codec-port 0 --codec-key-file " + keyFile(t), serve.ExitUsage, []string{"--codec-port", "got 0"}},
		"a busy codec port":       {"--port " + free + " --ui-port " + free2 + " --codec-port " + busy + " --codec-key-file " + keyFile(t), serve.ExitFailed, []string{"--codec-port: 127.0.0.1:" + busy, "in use"}},
		"a key file without keys": {"--codec-key-file " + file, serve.ExitUsage, []string{"--codec-key-file", file, "there is no key", "codec keygen"}},
		"a missing directory":     {"--kubeconfig-dir " + dir + "/absent", serve.ExitUsage, []string{"--kubeconfig-dir", "there is no directory"}},
		"a file for the database": {"--state-dir " + file, serve.ExitUsage, []string{"--state-dir", "not a directory"}},
		"a directory in a file":   {"--state-dir " + file + "/x", serve.ExitUsage, []string{"--state-dir", "not a directory"}},
		"a directory in nowhere":  {"--state-dir /proc/landbridge", serve.ExitFailed, []string{"--state-dir", "/proc/landbridge", "may make and write"}},
		"a busy port":             {"--port " + busy, serve.ExitFailed, []string{"--port: 127.0.0.1:" + busy, "in use", "names the process"}},
		"a busy UI port":          {"--port " + free + " --ui-port " + busy, serve.ExitFailed, []string{"--ui-port: 127.0.0.1:" + busy, "in use"}},
		"a busy monitor":          {"--listen 127.0.0.1:" + busy, serve.ExitFailed, []string{"--listen: 127.0.0.1:" + busy, "in use"}},
		"another Temporal's file": {"--no-ui --port " + free + " --state-dir " + old, serve.ExitFailed, []string{"1.0.0", "not migrated", "--state-dir"}},
	} {
		s := start(strings.Fields(c.args)...)
		require.Equal(t, c.code, s.exit(t), "%s: %s", name, &s.out)
		for _, w := range c.want {
			require.Contains(t, s.out.String(), w, name)
		}
		require.Contains(t, lines(s.out.String())[0], "landbridge-standalone: ", name)
		require.Len(t, lines(s.out.String()), 1, name)
	}
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
