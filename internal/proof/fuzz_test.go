package proof

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// told returns what a result tells of a cause. Whatever a cluster answered, that is
// short, and text that Temporal's protocol can carry.
func told(t *testing.T, hop, why string) string {
	t.Helper()
	r := api.CheckLinkResult{Checks: []api.LinkCheck{{}}}
	breaksAt(&r, hop, why)
	require.LessOrEqual(t, len(r.Why), maxWhy)
	require.True(t, utf8.ValidString(r.Why))
	return r.Why
}

func FuzzRemoteSecret(f *testing.F) {
	const good = `apiVersion: v1
kind: Config
clusters: [{name: west, cluster: {certificate-authority-data: Y2E=, server: "https://a:443", tls-server-name: b}}]
users: [{name: west, user: {token: very-secret}}]
contexts: [{name: west, context: {cluster: west, user: west}}]
current-context: west
`
	for _, s := range []string{good, "", "contexts: [{name: a}]\ncurrent-context: a", strings.Replace(good, "user: west}", "user: x}", 1), strings.Replace(good, "token", "tokenFile", 1)} {
		f.Add("west", []byte(s))
	}
	f.Fuzz(func(t *testing.T, target string, data []byte) {
		secret, wrong := parseRemoteSecret(map[string][]byte{target: data}, target)
		if wrong == "" {
			require.NotEmpty(t, secret.serverName)
			require.NotEmpty(t, secret.token)
			return
		}
		require.Nil(t, secret)
		require.NotContains(t, told(t, api.HopSecret, wrong), "very-secret")
	})
}

func FuzzAccessLog(f *testing.F) {
	for _, line := range []string{lineTCP, lineMTLS, lineDenied, lineNoRoute, lineNoHost, lineNotMine, `{"downstream_remote_address":"127.0.0.1:7","response_flags":"UF"}`, `{"downstream_remote_address":"[::1]:7","response_flags":"UF"}`, "\xff\n[2026 127.0.0.1:1"} {
		f.Add([]byte("2026-11-24T06:28:50Z\tinfo\tstarted\n" + line + "\n"))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		line := lastProbe(log, fleet.EgressPort)
		require.True(t, bytes.Contains(log, []byte(line)))
		require.NotContains(t, line, "\n")
		hop, why := hopOf(line)
		require.Equal(t, line == "", hop == "", "each line is at some hop")
		told(t, hop, why)
	})
}
