package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// Every answer is a real one: of a server on the loopback to Temporal's own client.
func TestDial_WhatDoesNotLetUsIn_SaysWhyAndWhatToSet(t *testing.T) {
	own, ca := certificate(t)
	withTLS := func(file string) map[string]string {
		return map[string]string{"TEMPORAL_TLS": "true", "TEMPORAL_TLS_SERVER_CA_CERT_PATH": file}
	}
	overTLS := func(t *testing.T, s *temporal, c *tls.Config) string {
		return s.serve(t, tls.NewListener(listen(t), c))
	}
	for name, c := range map[string]struct {
		serve func(t *testing.T) string
		env   map[string]string
		want  string
	}{
		"an API key that it does not know": {func(t *testing.T) string { return (&temporal{refusal: unauthenticated}).serve(t, listen(t)) }, nil,
			"it refuses the API key or certificate (TEMPORAL_API_KEY"},
		"no permission": {func(t *testing.T) string { return (&temporal{refusal: denied}).serve(t, listen(t)) }, nil,
			"it refuses the API key or certificate (TEMPORAL_API_KEY"},
		"TLS to a Temporal without":              {func(t *testing.T) string { return (&temporal{}).serve(t, listen(t)) }, withTLS(ca), "it speaks no TLS; leave TEMPORAL_TLS"},
		"TLS to what hangs up":                   {func(t *testing.T) string { return hangUp(t, 1<<14) }, withTLS(ca), "it speaks no TLS; leave TEMPORAL_TLS"},
		"TLS to what hangs up without listening": {func(t *testing.T) string { return hangUp(t, 5) }, withTLS(ca), "it speaks no TLS; leave TEMPORAL_TLS"},
		"a CA that nobody knows": {func(t *testing.T) string { return overTLS(t, &temporal{}, own) }, map[string]string{"TEMPORAL_TLS": "true"},
			"no TLS session: tls: failed to verify certificate: x509: certificate signed by unknown authority; look at TEMPORAL_TLS_SERVER_CA_CERT_PATH"},
		"another server name": {func(t *testing.T) string { return overTLS(t, &temporal{}, own) },
			map[string]string{"TEMPORAL_TLS": "true", "TEMPORAL_TLS_SERVER_CA_CERT_PATH": ca, "TEMPORAL_TLS_SERVER_NAME": "other.test"},
			"no TLS session: tls: failed to verify certificate: x509: certificate is valid for"},
		"a client certificate is wanted": {func(t *testing.T) string {
			return overTLS(t, &temporal{}, withClientCertificates(own.Clone(), x509.NewCertPool()))
		}, withTLS(ca), "it ends the TLS session; it seems to want a client certificate that it knows: set TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"no TLS to a Temporal with": {func(t *testing.T) string { return overTLS(t, &temporal{}, own) }, nil, "it speaks TLS, or is no Temporal; set TEMPORAL_TLS=true"},
		"what hangs up":             {func(t *testing.T) string { return hangUp(t, 5) }, nil, "it speaks TLS, or is no Temporal; set TEMPORAL_TLS=true"},
		"a web server":              {webServer, nil, "it speaks TLS, or is no Temporal; set TEMPORAL_TLS=true"},
	} {
		t.Run(name, func(t *testing.T) {
			noProfiles(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			address := c.serve(t)
			_, err := Flags{Address: address}.Dial(t.Context(), nil, nil)
			var refused *RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, address, refused.Address)
			require.True(t, strings.HasPrefix(err.Error(), "Temporal at "+address+": "+c.want), err.Error())
			require.Error(t, refused.Unwrap())
		})
	}
}

// hangUp serves nothing: it closes each connection when it has read some bytes. What
// it leaves unread makes the end a reset.
func hangUp(t *testing.T, bytes int) string {
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, bytes))
			conn.Close()
		}
	}()
	return l.Addr().String()
}

func webServer(t *testing.T) string {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestDial_NobodyAnswers_SaysWhereAndHowToStartOne(t *testing.T) {
	noProfiles(t)
	l := listen(t)
	address := l.Addr().String()
	l.Close()
	_, err := Flags{Address: address}.Dial(t.Context(), nil, nil)
	var notThere *NotThereError
	require.ErrorAs(t, err, &notThere)
	require.EqualError(t, err, "no Temporal answers at "+address+": start one with `landbridge-standalone`, or set TEMPORAL_ADDRESS or --address")
	require.ErrorContains(t, notThere.Unwrap(), "connection refused")
}

func TestDial_AnAddressThatCannotBe_IsAMistakeOfWhoeverTypedIt(t *testing.T) {
	noProfiles(t)
	for address, want := range map[string]string{
		"127.0.0.1:99999": "want a port from 1 to 65535, got",
		"127.0.0.1:0":     "want a port from 1 to 65535, got",
		"host:grpc":       "want a port from 1 to 65535, got",
		"localhost":       "want host:port, such as 127.0.0.1:7233, got",
		"::1:7233":        "want host:port",
	} {
		_, err := Flags{Address: address}.Dial(t.Context(), nil, nil)
		var wrong *AddressError
		require.ErrorAs(t, err, &wrong, address)
		require.ErrorContains(t, err, "--address or TEMPORAL_ADDRESS: "+want)
	}
	for _, address := range []string{"[::1]:7233", "dns:///temporal.example.com:7233", "temporal.example.com:7233"} {
		require.NoError(t, checkAddress(address))
	}
}

func TestDial_FindsTemporalAsItsToolsDo(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		flags func(address string) Flags
		env   func(address string) map[string]string
		want  string
	}{
		"flags": {func(a string) Flags { return Flags{Address: a, Namespace: "ours"} }, nil, "ours"},
		"environment": {func(string) Flags { return Flags{} },
			func(a string) map[string]string {
				return map[string]string{"TEMPORAL_ADDRESS": a, "TEMPORAL_NAMESPACE": "theirs"}
			}, "theirs"},
		"flags before environment": {func(a string) Flags { return Flags{Address: a, Namespace: "ours"} },
			func(string) map[string]string {
				return map[string]string{"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_NAMESPACE": "theirs"}
			}, "ours"},
		"a profile": {func(string) Flags { return Flags{Profile: "cloud"} }, func(a string) map[string]string {
			file := filepath.Join(dir, "profiles.toml")
			require.NoError(t, os.WriteFile(file, []byte("[profile.cloud]\naddress = \""+a+"\"\nnamespace = \"cloud\"\n"), 0o600))
			return map[string]string{"TEMPORAL_CONFIG_FILE": file}
		}, "cloud"},
	} {
		t.Run(name, func(t *testing.T) {
			noProfiles(t)
			address := (&temporal{}).serve(t, listen(t))
			if c.env != nil {
				for k, v := range c.env(address) {
					t.Setenv(k, v)
				}
			}
			var got client.Options
			conn, err := c.flags(address).Dial(t.Context(), nil, func(o *client.Options) { got = *o })
			require.NoError(t, err)
			conn.Close()
			require.Equal(t, address, got.HostPort)
			require.Equal(t, c.want, got.Namespace)
		})
	}
}

func TestDial_AnIdentity_IsThatOfTheClient(t *testing.T) {
	noProfiles(t)
	var got client.Options
	conn, err := Flags{Address: (&temporal{}).serve(t, listen(t)), Identity: "anna@bastion"}.Dial(t.Context(), nil, func(o *client.Options) { got = *o })
	require.NoError(t, err)
	conn.Close()
	require.Equal(t, "anna@bastion", got.Identity)
}

func TestDial_BrokenProfiles_IsToldFromTemporal(t *testing.T) {
	noProfiles(t)
	file := filepath.Join(t.TempDir(), "broken.toml")
	require.NoError(t, os.WriteFile(file, []byte("[profile"), 0o600))
	t.Setenv("TEMPORAL_CONFIG_FILE", file)
	_, err := Flags{}.Dial(context.Background(), nil, nil)
	require.ErrorContains(t, err, "read Temporal's configuration")
	_, err = Flags{Profile: "nobody"}.Dial(context.Background(), nil, nil)
	require.ErrorContains(t, err, "read Temporal's configuration")
}

func TestDial_NothingGiven_TakesTheDefaultAddress(t *testing.T) {
	noProfiles(t)
	var got client.Options
	ctx, cancel := context.WithCancel(t.Context())
	_, _ = Flags{}.Dial(ctx, nil, func(o *client.Options) { got = *o; cancel() }) // whoever is there is not asked
	require.Equal(t, DefaultAddress, got.HostPort)
}
