package kube

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
)

// guarded serves an API that accepts one token, which a test rotates.
type guarded struct {
	*httptest.Server
	token   atomic.Pointer[string]
	refused atomic.Int32
	body    atomic.Pointer[string]
}

func guard(t *testing.T, token string) *guarded {
	g := &guarded{}
	g.token.Store(&token)
	g.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer "+*g.token.Load() {
			g.refused.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		text := string(body)
		g.body.Store(&text)
		_, _ = io.WriteString(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}`)
	}))
	t.Cleanup(g.Close)
	return g
}

// user writes a kubeconfig for the server with this user, and opens it.
func (g *guarded) user(t *testing.T, dir string, user *clientcmdapi.AuthInfo) *Cluster {
	t.Helper()
	cfg := clientcmdapi.NewConfig()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
	cfg.Clusters["c"] = &clientcmdapi.Cluster{Server: g.URL, CertificateAuthorityData: ca}
	cfg.AuthInfos["u"], cfg.Contexts["x"], cfg.CurrentContext = user, &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}, "x"
	require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, "k")))
	c, err := Access{Dirs: []string{dir}}.Open(t.Context(), "west", fleet.Kubeconfig{Path: "k"})
	require.NoError(t, err)
	return c
}

// plugin returns a user whose credential a shell script prints.
func plugin(t *testing.T, dir, script string) *clientcmdapi.AuthInfo {
	t.Helper()
	path := filepath.Join(dir, "acme-login")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	return &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: path,
		Args: []string{"--secret", "very-secret"}, InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode}}
}

// tokenFrom is a script that prints the token in a file.
func tokenFrom(file string) string {
	return fmt.Sprintf(`printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%%s"}}' "$(cat %s)"`, file)
}

func create(ctx context.Context, c *Cluster) error {
	_, err := c.Client.CoreV1().ConfigMaps("istio-system").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{})
	return err
}

// A token that was rotated while an activity is at work costs one request more, however
// the kubeconfig has it.
func TestRenewing_ARotatedToken_IsTriedAgainWithTheNewOne(t *testing.T) {
	for name, how := range map[string]func(t *testing.T, g *guarded, dir, file string) *Cluster{
		"an exec plugin's cache": func(t *testing.T, g *guarded, dir, file string) *Cluster {
			return g.user(t, dir, plugin(t, dir, tokenFrom(file)))
		},
		"a token file": func(t *testing.T, g *guarded, dir, file string) *Cluster {
			return g.user(t, dir, &clientcmdapi.AuthInfo{TokenFile: file})
		},
		"the kubeconfig itself": func(t *testing.T, g *guarded, dir, _ string) *Cluster {
			return g.user(t, dir, &clientcmdapi.AuthInfo{Token: "one"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "token")
			require.NoError(t, os.WriteFile(file, []byte("one"), 0o600))
			g := guard(t, "one")
			c := how(t, g, dir, file)
			require.NoError(t, create(t.Context(), c))
			require.Zero(t, g.refused.Load())
			first := *g.body.Load()
			require.NotEmpty(t, first)

			two := "two"
			g.token.Store(&two)
			require.NoError(t, os.WriteFile(file, []byte("two"), 0o600))
			if name == "the kubeconfig itself" {
				g.user(t, dir, &clientcmdapi.AuthInfo{Token: "two"})
			}
			require.NoError(t, create(t.Context(), c))
			require.Equal(t, int32(1), g.refused.Load())
			require.Equal(t, first, *g.body.Load(), "what is sent again is whole")
		})
	}
}

func TestRenewing_RefusedTwice_IsA401ThatNamesWhoseCredential(t *testing.T) {
	for name, c := range map[string]struct {
		user func(dir string) *clientcmdapi.AuthInfo
		want string
	}{
		"a token":  {func(string) *clientcmdapi.AuthInfo { return &clientcmdapi.AuthInfo{Token: "old"} }, "does not accept the kubeconfig's credential"},
		"a plugin": {func(dir string) *clientcmdapi.AuthInfo { return plugin(t, dir, tokenFrom(filepath.Join(dir, "old"))) }, "does not accept the credential that the kubeconfig's exec plugin acme-login gives"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o600))
		g := guard(t, "new")
		err := create(t.Context(), g.user(t, dir, c.user(dir)))
		require.ErrorContains(t, err, c.want, name)
		require.True(t, apierrors.IsUnauthorized(err), name)
		require.Equal(t, int32(2), g.refused.Load(), name)
		require.NotContains(t, err.Error(), "very-secret")
	}
}

// Whatever an exec plugin does, the message names it, and the activity waits no longer
// than it may.
func TestRenewing_APluginThatIsLateSilentWrongOrGone_IsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   string
		final  bool
	}{
		"late":   {"exec sleep 5", "has given no credential in time", false},
		"silent": {"true", "printed no ExecCredential", true},
		"wrong":  {"echo Please log in at https://login.acme.test", "printed no ExecCredential", true},
		"fails":  {"exit 3", "failed with exit code 3", false},
		"gone":   {"", "gives no credential: ", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			user := plugin(t, dir, c.script)
			if name == "gone" {
				require.NoError(t, os.Remove(user.Exec.Command))
			}
			cluster := guard(t, "new").user(t, dir, user)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			err := create(ctx, cluster)
			require.Less(t, time.Since(began), 4*time.Second)
			var plugin *PluginError
			require.ErrorAs(t, err, &plugin)
			require.Equal(t, c.final, plugin.Final)
			require.True(t, strings.HasPrefix(plugin.Error(), "the kubeconfig's exec plugin acme-login "), plugin.Error())
			require.Contains(t, plugin.Error(), c.want)
			require.NotContains(t, err.Error(), "very-secret")
		})
	}
}
