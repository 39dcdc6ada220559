package kube

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

func TestVersion_IsTheServersOwnWord(t *testing.T) {
	for body, want := range map[string]string{
		`{"major":"1","minor":"34","gitVersion":"v1.34.1"}`: "v1.34.1",
		`{}`:     "it does not answer as a kube-apiserver does",
		`<html>`: "unable to parse the server version",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "/version", r.URL.Path)
			_, _ = io.WriteString(w, body)
		}))
		c, err := connectTo(&rest.Config{Host: srv.URL})
		require.NoError(t, err)
		got, err := c.Version(t.Context())
		if err != nil {
			got = err.Error()
			require.Contains(t, got, "the API server at "+srv.Listener.Addr().String()+" cannot be reached: ")
		}
		require.Contains(t, got, want)
		srv.Close()
	}
}

func TestVersion_NobodyListens_NamesHostAndPortOnly(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	c, err := connectTo(&rest.Config{Host: srv.URL + "/k8s/clusters/c-1"})
	require.NoError(t, err)
	_, err = c.Version(t.Context())
	require.ErrorContains(t, err, "the API server at "+srv.Listener.Addr().String()+" cannot be reached: ")
	var network *url.Error
	require.ErrorAs(t, err, &network, "which is tried again")
}

// What an API server or an exec plugin says of a credential is told in its own words, and
// nobody is sent to look at the network.
func TestVersion_TheCredentialFails_IsNoServerThatCannotBeReached(t *testing.T) {
	for want, script := range map[string]string{
		"Unauthorized (401): the API server does not accept the credential that the kubeconfig's exec plugin acme-login gives": tokenFrom("/dev/null"),
		"the kubeconfig's exec plugin acme-login printed no ExecCredential":                                                    "echo nothing",
	} {
		dir := t.TempDir()
		_, err := guard(t, "new").user(t, dir, plugin(t, dir, strings.Replace(script, "$(cat /dev/null)", "old", 1))).Version(t.Context())
		require.True(t, CredentialFails(err), "%v", err)
		require.True(t, strings.HasPrefix(err.Error(), want), err.Error())
	}
}

func connectTo(cfg *rest.Config) (*Cluster, error) {
	return connect("east", cfg, func(context.Context) (*rest.Config, error) { return cfg, nil })
}
