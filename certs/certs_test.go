package certs

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

func newRoot(t *testing.T, algorithm string) *Root {
	t.Helper()
	root, err := NewRoot(RootSpec{CommonName: "East Root CA", Organization: "my-company.org", KeyAlgorithm: algorithm, Lifetime: 3650 * day})
	require.NoError(t, err)
	return root
}

func west(algorithm string) IntermediateSpec {
	return IntermediateSpec{Cluster: "west", Organization: "my-company.org", DNSName: "istiod.istio-system.svc", KeyAlgorithm: algorithm, Lifetime: 3650 * day}
}

func issue(t *testing.T, root *Root, spec IntermediateSpec) CACerts {
	t.Helper()
	key, csr, err := NewRequest(spec)
	require.NoError(t, err)
	cert, err := root.Sign(csr, spec)
	require.NoError(t, err)
	return NewCACerts(root.CertPEM, cert, key)
}

func mustParse(t *testing.T, p []byte) *x509.Certificate {
	t.Helper()
	c, err := parse(p)
	require.NoError(t, err)
	return c
}

func TestRoot_HasTheFieldsOfIstiosTools(t *testing.T) {
	cert := newRoot(t, RSA4096).Certificate()
	require.Equal(t, 4096, cert.PublicKey.(*rsa.PublicKey).N.BitLen())
	require.Equal(t, "CN=East Root CA,O=my-company.org", cert.Subject.String())
	require.True(t, cert.IsCA)
	require.Equal(t, -1, cert.MaxPathLen, "the root has no pathlen")
	require.Equal(t, KeyUsage, cert.KeyUsage)
	require.Equal(t, 3650*day, cert.NotAfter.Sub(cert.NotBefore))
	requireCritical(t, cert, "2.5.29.15", "2.5.29.19")
}

func TestIntermediate_HasTheFieldsOfIstiosTools(t *testing.T) {
	root := newRoot(t, RSA4096)
	set := issue(t, root, west(RSA4096))
	require.NoError(t, set.Check(root.CertPEM))
	cert := mustParse(t, set.CACert)
	require.Equal(t, "CN=west Intermediate CA,O=my-company.org,L=west", cert.Subject.String())
	require.Equal(t, []string{"istiod.istio-system.svc"}, cert.DNSNames)
	require.True(t, cert.IsCA)
	require.Zero(t, cert.MaxPathLen)
	require.True(t, cert.MaxPathLenZero)
	require.Equal(t, KeyUsage, cert.KeyUsage)
	requireCritical(t, cert, "2.5.29.15", "2.5.29.19")
	require.Equal(t, string(set.CACert)+string(root.CertPEM), string(set.CertChain), "the intermediate, then the root")
	require.False(t, cert.NotAfter.After(root.Certificate().NotAfter))
}

func requireCritical(t *testing.T, cert *x509.Certificate, oids ...string) {
	t.Helper()
	critical := map[string]bool{}
	for _, e := range cert.Extensions {
		critical[e.Id.String()] = e.Critical
	}
	for _, oid := range oids {
		require.True(t, critical[oid], "extension %s must be critical", oid)
	}
}

func TestIntermediate_ECDSAUnderEitherRoot(t *testing.T) {
	for _, algorithm := range []string{RSA4096, ECDSAP256} {
		root := newRoot(t, algorithm)
		set := issue(t, root, west(ECDSAP256))
		require.NoError(t, set.Check(root.CertPEM))
		require.IsType(t, &ecdsa.PublicKey{}, mustParse(t, set.CACert).PublicKey)
	}
}

func TestIntermediate_TakesNothingButTheKeyFromTheCSR(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	spec := west(ECDSAP256)
	liar := spec
	liar.Cluster, liar.Organization = "north", "evil.org"
	_, csr, err := NewRequest(liar)
	require.NoError(t, err)
	cert, err := root.Sign(csr, spec)
	require.NoError(t, err)
	require.Equal(t, "CN=west Intermediate CA,O=my-company.org,L=west", mustParse(t, cert).Subject.String())
}

func TestRequestIsOf_ItsOwnKeyOnly(t *testing.T) {
	key, csr, err := NewRequest(west(ECDSAP256))
	require.NoError(t, err)
	other, foreign, err := NewRequest(west(RSA4096))
	require.NoError(t, err)
	require.NoError(t, RequestIsOf(csr, key))
	require.NoError(t, RequestIsOf(foreign, other))
	block, _ := pem.Decode(csr)
	block.Bytes[len(block.Bytes)-1] ^= 1
	for want, c := range map[string]struct{ csr, key []byte }{
		"the CSR was made with another key": {foreign, key},
		"not a private key in PEM":          {csr, []byte("very secret")},
		"not a CSR in PEM":                  {pem.EncodeToMemory(block), key}, // its signature is wrong
	} {
		err := RequestIsOf(c.csr, c.key)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "very secret")
	}
}

// docs/security.md says why no revocation list is written: as those of Istio's own tools, these
// CAs are not for that.
func TestCAs_MaySignNoRevocationList(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	set := issue(t, root, west(ECDSAP256))
	for _, ca := range [][]byte{root.CertPEM, set.CACert} {
		require.Zero(t, mustParse(t, ca).KeyUsage&x509.KeyUsageCRLSign)
	}
	_, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(day)}, root.Certificate(), root.key)
	require.ErrorContains(t, err, "crlSign")
}

func TestRequestFor_KeepsTheKey(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	key, _, err := NewRequest(spec)
	require.NoError(t, err)
	csr, err := RequestFor(key, spec)
	require.NoError(t, err)
	cert, err := root.Sign(csr, spec)
	require.NoError(t, err)
	require.NoError(t, KeyMatches(key, cert))
}

func TestCACerts_WhatDoesNotFitIsRefused(t *testing.T) {
	root, other := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	good, foreign := issue(t, root, west(ECDSAP256)), issue(t, other, west(ECDSAP256))
	for name, c := range map[string]struct {
		set  CACerts
		want string
	}{
		"another root":        {foreign, "is not the fleet's root"},
		"another issuer":      {CACerts{root.CertPEM, foreign.CACert, foreign.CAKey, foreign.CertChain}, "was not issued by the root"},
		"another key":         {CACerts{root.CertPEM, good.CACert, foreign.CAKey, good.CertChain}, "the key does not belong"},
		"no key":              {CACerts{root.CertPEM, good.CACert, nil, good.CertChain}, "not a private key"},
		"a chain upside down": {CACerts{root.CertPEM, good.CACert, good.CAKey, append(append([]byte{}, root.CertPEM...), good.CACert...)}, "cert-chain.pem"},
		"nothing at all":      {CACerts{}, "is not the fleet's root"},
		"a root as CA":        {CACerts{root.CertPEM, []byte("x"), good.CAKey, good.CertChain}, "not a certificate in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.set.Check(root.CertPEM)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "PRIVATE")
		})
	}
}

func TestParseRoot_RefusesAKeyThatIsNotItsOwn(t *testing.T) {
	a, b := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	_, err := ParseRoot(a.CertPEM, b.KeyPEM)
	require.ErrorContains(t, err, "does not belong")
	_, err = ParseRoot(a.CertPEM, []byte("secret bytes"))
	require.ErrorContains(t, err, "not a private key")
	require.NotContains(t, err.Error(), "secret bytes")
	set := issue(t, a, west(ECDSAP256))
	_, err = ParseRoot(set.CACert, set.CAKey)
	require.ErrorContains(t, err, "not self-signed")
}

func TestNeedsRenewal_InTheLastThird(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	spec := west(ECDSAP256)
	spec.Lifetime = 90 * day
	set := issue(t, root, spec)
	for after, want := range map[time.Duration]bool{0: false, 59 * day: false, 61 * day: true, 91 * day: true} {
		got, err := NeedsRenewal(set.CACert, time.Now().Add(after))
		require.NoError(t, err)
		require.Equal(t, want, got, "after %s", after)
	}
}

func TestKeyAlgorithm_UnknownIsNamed(t *testing.T) {
	_, err := NewRoot(RootSpec{CommonName: "x", KeyAlgorithm: "DSA", Lifetime: day})
	require.ErrorContains(t, err, `"DSA"`)
}

// OpenSSL is another implementation than the one that signs and checks.
func TestCertificates_OpenSSLAgrees(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	for _, algorithm := range []string{RSA4096, ECDSAP256} {
		root := newRoot(t, algorithm)
		set := issue(t, root, west(algorithm))
		rootFile, caFile := filepath.Join(dir, "root.pem"), filepath.Join(dir, "ca.pem")
		require.NoError(t, os.WriteFile(rootFile, root.CertPEM, 0o600))
		require.NoError(t, os.WriteFile(caFile, set.CACert, 0o600))
		out, err := exec.Command(openssl, "verify", "-x509_strict", "-CAfile", rootFile, caFile).CombinedOutput()
		require.NoError(t, err, string(out))
		print, err := exec.Command(openssl, "x509", "-noout", "-fingerprint", "-sha256", "-in", caFile).Output()
		require.NoError(t, err)
		_, hex, _ := strings.Cut(strings.TrimSpace(string(print)), "=")
		pem, err := os.ReadFile(caFile)
		require.NoError(t, err)
		require.Equal(t, "sha256:"+strings.ToLower(strings.ReplaceAll(hex, ":", "")), Fingerprints(pem)[0])
		text, err := exec.Command(openssl, "x509", "-noout", "-text", "-in", caFile).CombinedOutput()
		require.NoError(t, err)
		for _, want := range []string{
			"X509v3 Key Usage: critical", "Digital Signature, Non Repudiation, Key Encipherment, Certificate Sign",
			"X509v3 Basic Constraints: critical", "CA:TRUE, pathlen:0", "DNS:istiod.istio-system.svc",
		} {
			require.Contains(t, string(text), want)
		}
	}
}

func TestPEM_MoreThanOneCertificateIsRefused(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	_, err := parse(append(append([]byte{}, root.CertPEM...), root.CertPEM...))
	require.ErrorContains(t, err, "more than one")
	_, err = parse(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))
	require.ErrorContains(t, err, "not a certificate in PEM")
}

// What is read back from a cluster may be anything. What passes the check must
// work as istiod uses it, and no error quotes the key.
func FuzzCACerts(f *testing.F) {
	root, err := NewRoot(RootSpec{CommonName: "Root CA", Organization: "o", KeyAlgorithm: ECDSAP256, Lifetime: 3650 * day})
	require.NoError(f, err)
	key, csr, err := NewRequest(west(ECDSAP256))
	require.NoError(f, err)
	cert, err := root.Sign(csr, west(ECDSAP256))
	require.NoError(f, err)
	good := NewCACerts(root.CertPEM, cert, key)
	f.Add(good.RootCert, good.CACert, good.CAKey, good.CertChain)
	f.Add(good.RootCert, good.RootCert, good.CAKey, good.CertChain)
	f.Add(good.RootCert, []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"), []byte{}, []byte{})
	f.Add([]byte{}, []byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, rootCert, caCert, caKey, chain []byte) {
		_, _ = Describe(caCert)
		_, _ = NeedsRenewal(caCert, time.Now())
		_ = CheckIntermediate(caCert, root.CertPEM, west(ECDSAP256))
		_, _ = ParseRoot(rootCert, caKey)
		set := CACertsFrom(map[string][]byte{"root-cert.pem": rootCert, "ca-cert.pem": caCert, "ca-key.pem": caKey, "cert-chain.pem": chain})
		if err := set.Check(root.CertPEM); err != nil {
			require.NotContains(t, err.Error(), "PRIVATE KEY")
			return
		}
		_, err := tls.X509KeyPair(chain, caKey)
		require.NoError(t, err)
	})
}
