package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheckIntermediate_NamesTheFieldThatDiffers(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	cert := issue(t, root, spec).CACert
	require.NoError(t, CheckIntermediate(cert, root.CertPEM, spec))
	for want, change := range map[string]func(*IntermediateSpec){
		`its CN is "west Intermediate CA", want "north Intermediate CA"`:   func(s *IntermediateSpec) { s.Cluster = "north" },
		`its O is ["my-company.org"], want "other.org"`:                    func(s *IntermediateSpec) { s.Organization = "other.org" },
		`the SANs are ["istiod.istio-system.svc"], want "istiod.mesh.svc"`: func(s *IntermediateSpec) { s.DNSName = "istiod.mesh.svc" },
	} {
		other := spec
		change(&other)
		require.EqualError(t, CheckIntermediate(cert, root.CertPEM, other), want)
	}
	require.ErrorContains(t, CheckIntermediate(cert, newRoot(t, ECDSAP256).CertPEM, spec), "was not issued by the root")
	require.ErrorContains(t, CheckIntermediate(cert, nil, spec), "the root: not a certificate in PEM")
	require.ErrorContains(t, CheckIntermediate(nil, root.CertPEM, spec), "not a certificate in PEM")
}

// selfMade signs a certificate with crypto/x509 alone, under the root or itself.
func selfMade(t *testing.T, root *Root, change func(*x509.Certificate)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "west Intermediate CA", Organization: []string{"my-company.org"}, Locality: []string{"west"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		KeyUsage: KeyUsage, DNSNames: []string{"istiod.istio-system.svc"}}
	change(cert)
	parent, signer := cert, crypto.Signer(key)
	if root != nil {
		parent, signer = root.Certificate(), root.key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), signer)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestCheckIntermediate_OfAnotherIssuersHand_RefusesWhatIstiodCannotUse(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	spec.Lifetime = 2 * time.Hour
	require.NoError(t, CheckIntermediate(selfMade(t, root, func(*x509.Certificate) {}), root.CertPEM, spec))
	for want, change := range map[string]func(*x509.Certificate){
		"is not a CA":               func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false },
		"may not sign certificates": func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature },
		"lacks a key usage":         func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign },
		"is not valid before":       func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) },
		"expired on":                func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
		"pathlen is 1, want 0":      func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false },
		`its L is [], want "west"`:  func(c *x509.Certificate) { c.Subject.Locality = nil },
	} {
		require.ErrorContains(t, CheckIntermediate(selfMade(t, root, change), root.CertPEM, west(ECDSAP256)), want)
	}
}

func TestParseRoot_OneThatMayNotSign_IsRefused(t *testing.T) {
	key := newRoot(t, ECDSAP256).KeyPEM
	_, err := ParseRoot(selfMade(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), key)
	require.ErrorContains(t, err, "the root's certificate: sha256:")
	require.ErrorContains(t, err, "expired on")
	_, err = ParseRoot([]byte("x"), key)
	require.ErrorContains(t, err, "the root's certificate: not a certificate in PEM")
}

func TestFingerprints_OfABundle_PassOverWhatIsNoCertificate(t *testing.T) {
	a, b := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	bundle := append(append([]byte("# comment\n"), a.CertPEM...), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})...)
	bundle = append(bundle, b.CertPEM...)
	require.Equal(t, []string{Fingerprint(a.Certificate()), Fingerprint(b.Certificate())}, Fingerprints(bundle))
	require.Empty(t, Fingerprints([]byte("nothing")))
}
