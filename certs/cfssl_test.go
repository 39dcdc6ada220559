package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/cli"
	"github.com/cloudflare/cfssl/cli/serve"
	"github.com/stretchr/testify/require"
)

// asCFSSL makes this test's program cfssl itself, with the one command `serve`.
const asCFSSL = "LANDBRIDGE_TEST_AS_CFSSL"

func TestMain(m *testing.M) {
	if os.Getenv(asCFSSL) == "" {
		os.Exit(m.Run())
	}
	if cli.Start(map[string]*cli.Command{"serve": serve.Command}) != nil {
		os.Exit(1)
	}
}

const (
	authKey  = "0123456789abcdef0123456789abcdef"
	otherKey = "fedcba9876543210fedcba9876543210"
)

// cfsslConfig has a profile for each thing that a server may do.
const cfsslConfig = `{"signing": {
  "default": {"auth_key": "k", "usages": ["digital signature", "content commitment", "key encipherment", "cert sign"], "expiry": "8760h",
    "copy_extensions": true, "ca_constraint": {"is_ca": true, "max_path_len_zero": true}},
  "profiles": {
    "least": {"auth_key": "k", "usages": ["cert sign"], "expiry": "720h", "ca_constraint": {"is_ca": true}},
    "leaf": {"auth_key": "k", "usages": ["digital signature"], "expiry": "720h"},
    "past": {"auth_key": "k", "usages": ["cert sign"], "not_before": "2020-01-01T00:00:00Z", "not_after": "2020-02-01T00:00:00Z", "expiry": "1h", "ca_constraint": {"is_ca": true}},
    "names": {"auth_key": "k", "usages": ["cert sign"], "expiry": "720h", "name_whitelist": "^east ", "ca_constraint": {"is_ca": true}}
  }}, "auth_keys": {"k": {"type": "standard", "key": "` + authKey + `"}}}`

// serveCFSSL runs the real `cfssl serve` on loopback with TLS.
func serveCFSSL(t *testing.T, caPEM, keyPEM []byte) *CFSSL {
	t.Helper()
	dir := t.TempDir()
	own, ownKey := serverCertificate(t)
	for name, data := range map[string][]byte{"ca.pem": caPEM, "ca-key.pem": keyPEM, "tls.pem": own, "tls-key.pem": ownKey, "config.json": []byte(cfsslConfig)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, port.Close())
	_, number, err := net.SplitHostPort(port.Addr().String())
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "serve", "-address", "127.0.0.1", "-port", number, "-ca", "ca.pem", "-ca-key", "ca-key.pem",
		"-config", "config.json", "-tls-cert", "tls.pem", "-tls-key", "tls-key.pem", "-loglevel", "3")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asCFSSL+"=1")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	server := &CFSSL{URL: "https://127.0.0.1:" + number, ServerCA: own, Key: keys(t, "https://127.0.0.1:"+number, authKey).For("https://127.0.0.1:" + number)}
	require.Eventually(t, func() bool { _, err := server.CA(t.Context()); return err == nil }, time.Minute, 20*time.Millisecond)
	return server
}

func keys(t *testing.T, url, key string) CFSSLKeys {
	t.Helper()
	keys, err := ParseCFSSLKeys([]byte(url + " " + key))
	require.NoError(t, err)
	return keys
}

// serverCertificate returns a certificate for 127.0.0.1 that vouches for itself.
func serverCertificate(t *testing.T) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func request(t *testing.T, spec IntermediateSpec) (key, csr []byte) {
	t.Helper()
	key, csr, err := NewRequest(spec)
	require.NoError(t, err)
	return key, csr
}

func TestCFSSL_TheRealServer_SignsWhatIstiodTakes(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	server := serveCFSSL(t, root.CertPEM, root.KeyPEM)
	ca, err := server.CA(t.Context())
	require.NoError(t, err)
	found, err := IssuerRoot(ca)
	require.NoError(t, err)
	require.True(t, found.Equal(root.Certificate()))

	for profile, sans := range map[string][]string{"": {"istiod.istio-system.svc"}, "least": nil} {
		server.Profile = profile
		key, csr := request(t, spec)
		bundle, err := server.Sign(t.Context(), csr, ca, spec)
		require.NoError(t, err, profile)
		set := NewCACerts(ca, bundle, key)
		require.NoError(t, set.Check(ca))
		cert := mustParse(t, set.CACert)
		require.Equal(t, "CN=west Intermediate CA,O=my-company.org,L=west", cert.Subject.String())
		require.Equal(t, sans, cert.DNSNames, "copy_extensions takes over that of the CSR")
		ours := spec
		ours.Issuer = true
		require.NoError(t, CheckIntermediate(set.CertChain, ca, ours), "the next rollout leaves it as it is")
	}
}

func TestCFSSL_ThatIsNoRootItself_IsNamedInTheChain(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	issuing := selfMade(t, root, func(c *x509.Certificate) { c.MaxPathLenZero, c.Subject.CommonName = false, "Issuing CA" })
	der, err := x509.CreateCertificate(rand.Reader, mustParse(t, issuing), root.Certificate(), key.Public(), root.key)
	require.NoError(t, err)
	issuing = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	server := serveCFSSL(t, issuing, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))

	ca, err := server.CA(t.Context())
	require.NoError(t, err)
	_, err = IssuerRoot(ca)
	requireRefused(t, err, "is no root: CN=East Root CA,O=my-company.org issued it; give the certificate of that root in spec.ca.issuer.root")

	own, csr := request(t, spec)
	bundle, err := server.Sign(t.Context(), csr, root.CertPEM, spec)
	require.NoError(t, err)
	set := NewCACerts(root.CertPEM, bundle, own)
	require.NoError(t, set.Check(root.CertPEM))
	require.Equal(t, 3, strings.Count(string(set.CertChain), "BEGIN CERTIFICATE"), "the intermediate, the CA that signed it, the root")
	require.Equal(t, 1, strings.Count(string(set.CACert), "BEGIN CERTIFICATE"))
	renew, err := NeedsRenewal(set.CertChain, time.Now().Add(50*time.Minute))
	require.NoError(t, err)
	require.True(t, renew, "it ends with the CA that signed it, within the hour")

	set.CertChain = NewCACerts(root.CertPEM, set.CACert, nil).CertChain
	require.ErrorContains(t, set.Check(root.CertPEM), "was not issued by the root", "without the CA between nobody can verify it")
}

func TestCFSSL_WhatTheRealServerRefusesOrSignsWrongly_IsAnIssuerError(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	server := serveCFSSL(t, root.CertPEM, root.KeyPEM)
	for name, c := range map[string]struct {
		profile, key string
		root         []byte
		want         string
	}{
		"another key than the server's": {"", otherKey, root.CertPEM, "refuses authsign with 400 Bad Request: invalid token"},
		"a profile for leaves":          {"leaf", authKey, root.CertPEM, "is not a CA"},
		"a profile that has ended":      {"past", authKey, root.CertPEM, "expired on 2020-02-01"},
		"a profile for other names":     {"names", authKey, root.CertPEM, "refuses authsign with 400 Bad Request: "},
		"another root":                  {"", authKey, newRoot(t, ECDSAP256).CertPEM, "was not issued by the root"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := *server
			asked.Profile, asked.Key = c.profile, keys(t, server.URL, c.key).For(server.URL)
			_, csr := request(t, spec)
			_, err := asked.Sign(t.Context(), csr, c.root, spec)
			requireRefused(t, err, c.want)
			require.NotContains(t, err.Error(), c.key)
		})
	}
	t.Run("a CSR that is none", func(t *testing.T) {
		_, err := server.Sign(t.Context(), []byte("x"), root.CertPEM, spec)
		requireRefused(t, err, "refuses authsign with 400 Bad Request")
	})
	t.Run("a server whose certificate nobody vouches for", func(t *testing.T) {
		asked := *server
		asked.ServerCA = nil
		_, err := asked.CA(t.Context())
		requireUnreachable(t, err, "certificate")
	})
}

func requireRefused(t *testing.T, err error, want string) {
	t.Helper()
	var refused *IssuerError
	require.ErrorAs(t, err, &refused)
	require.False(t, refused.Later)
	require.ErrorContains(t, err, want)
}

func requireUnreachable(t *testing.T, err error, want string) {
	t.Helper()
	var gone *url.Error
	require.ErrorAs(t, err, &gone)
	require.ErrorContains(t, err, want)
}

// answering returns a server that the real one is never: it answers as told.
func answering(t *testing.T, answer http.HandlerFunc) *CFSSL {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return &CFSSL{URL: s.URL, Key: keys(t, s.URL, authKey).For(s.URL)}
}

func TestCFSSL_AnAnswerThatCannotBe_IsAnIssuerError(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	stolen, err := json.Marshal(string(issue(t, root, spec).CACert))
	require.NoError(t, err)
	_, csr := request(t, spec)
	for name, c := range map[string]struct{ answer, want string }{
		"the certificate of another key": {`{"success": true, "result": {"certificate": ` + string(stolen) + `}}`, "the issuer signed another key than that of west"},
		"no certificate":                 {`{"success": true, "result": {}}`, "without a certificate"},
		"a certificate that is none":     {`{"success": true, "result": {"certificate": "x"}}`, "the issuer's answer for west is not a certificate in PEM"},
		"a number":                       {`{"success": true, "result": {"certificate": 1}}`, "no answer of cfssl"},
		"a page":                         {"<html>", "no answer of cfssl"},
		"no success":                     {`{"success": false, "errors": [{"code": 5200, "message": "Invalid policy"}]}`, "Invalid policy (5200)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) })
			_, err := s.Sign(t.Context(), csr, root.CertPEM, spec)
			requireRefused(t, err, c.want)
		})
	}
	t.Run("another address", func(t *testing.T) {
		s := answering(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
		})
		_, err := s.Sign(t.Context(), csr, root.CertPEM, spec)
		requireRefused(t, err, "302 Found")
	})
}

func TestCFSSL_ABusyOrSilentServer_IsAskedAgain(t *testing.T) {
	spec := west(ECDSAP256)
	_, csr := request(t, spec)
	busy := answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	_, err := busy.Sign(t.Context(), csr, nil, spec)
	var later *IssuerError
	require.ErrorAs(t, err, &later)
	require.True(t, later.Later)
	require.ErrorContains(t, err, "503 Service Unavailable")

	silent := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then Go tells that the client went
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = silent.Sign(ctx, csr, nil, spec)
	requireUnreachable(t, err, "deadline exceeded")
	require.True(t, errors.Is(err, context.DeadlineExceeded))
}
