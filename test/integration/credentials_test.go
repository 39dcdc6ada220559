package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/test/lab"
)

// East's kubeconfig has an exec plugin, whose credential is revoked in the middle of a
// rollout while it has a new one; west's leads through a front that ends TLS. Both are as
// good as any other.
func TestCredentials_RevokedInTheMiddle_AndAFrontThatEndsTLS(t *testing.T) {
	w := newWorld(t)
	names := []string{"east", "west"}
	same := w.unchanged(names...)

	file := w.file(names, "path: east", "path: plugin/east", "path: west", "path: front/west")
	// Whatever the plugin does, it is named, and what it printed is not shown: it may be a
	// secret. Nobody waits longer for it than he must.
	for _, c := range []struct{ fault, want string }{
		{lab.PluginSilent, "exec plugin lab-login printed no ExecCredential"},
		{lab.PluginWrong, "exec plugin lab-login printed no ExecCredential"},
		{lab.PluginFails, "exec plugin lab-login gives no credential: executable "},
		{lab.PluginGone, "exec plugin lab-login gives no credential: "},
		{lab.PluginRefused, "Unauthorized (401): the API server does not accept the credential that the kubeconfig's exec plugin lab-login gives"},
	} {
		w.behave("--plugin", c.fault)
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(w.lab.Dir, "plugin", "east", lab.PluginName))
			return (err == nil) == (c.fault != lab.PluginGone)
		}, patience, pause/10)
		out, code := w.try("plan", "-f", file)
		require.NotZero(t, code, out)
		require.Contains(t, out, c.want, c.fault)
		require.NotContains(t, out, "cannot be reached", c.fault)
		require.NotContains(t, out, "login.lab.example")
	}
	// One that is late is not waited for, but asked again, and had its answer by then.
	w.behave("--plugin", lab.PluginLate)
	began := time.Now()
	require.Contains(t, w.must("plan", "-f", file), "cluster west: its kubeconfig leads through a front that ends TLS, so that kubernetes.default.svc could not be checked there")

	t.Logf("with a plugin that is late by half a minute, the plan took %s", time.Since(began).Round(time.Second))

	// An API server remembers for 10 s that it accepted a token.
	refused := func() int {
		log, err := os.ReadFile(w.lab.AuditLog("east"))
		require.NoError(t, err)
		return bytes.Count(log, []byte(`"code":401`))
	}
	before := refused()
	w.behave("--sail-delay", "15s")
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t)
	w.behave("--sail-delay", "15s", "--plugin-generation", "1")
	out := w.must("rollout", "-f", file)
	require.Contains(t, out, "2 clusters and 2 links rolled out")
	require.NotContains(t, out, "Unauthorized")
	require.Greater(t, refused(), before, "the credential was refused in the middle")
	w.requireRemoteSecret("east", "west")
	w.requireRemoteSecret("west", "east")
	s, err := w.connect("east").CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-west", metav1.GetOptions{})
	require.NoError(t, err)
	require.Contains(t, string(s.Data["west"]), "tls-server-name: kubernetes.default.svc")

	w.behave("--plugin-generation", "2")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("cleanup", "-f", file)
	w.behave()
	same()
}
