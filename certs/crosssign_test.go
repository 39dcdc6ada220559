package certs

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/helpers"
	"github.com/stretchr/testify/require"
)

func inPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestCrossSign_OfEveryKind_ProvesThatTheRootVouches(t *testing.T) {
	for _, of := range [][2]string{{ECDSAP256, ECDSAP256}, {RSA4096, ECDSAP256}, {ECDSAP256, RSA4096}} {
		old, next := newRoot(t, of[0]), newRoot(t, of[1])
		cross, err := old.CrossSign(next)
		require.NoError(t, err)
		require.NoError(t, CheckCrossSigned(cross, old.CertPEM, next.CertPEM))
		cert := mustParse(t, cross)
		require.Equal(t, next.cert.RawSubject, cert.RawSubject)
		require.Equal(t, old.cert.SubjectKeyId, cert.AuthorityKeyId)
		require.LessOrEqual(t, time.Until(cert.NotAfter), crossLifetime, "an old one proves nothing")
	}
}

func TestCheckCrossSigned_WhoeverElseSigned_IsRefused(t *testing.T) {
	old, next, another := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	good, err := old.CrossSign(next)
	require.NoError(t, err)
	foreign, err := another.CrossSign(next)
	require.NoError(t, err)
	for want, c := range map[string]struct{ cross, root, next []byte }{
		"the cross-certificate was not signed by the root":   {foreign, old.CertPEM, next.CertPEM},
		"the cross-certificate is for another root than":     {good, old.CertPEM, another.CertPEM},
		"what the root " + Fingerprint(old.cert):             {old.CertPEM, old.CertPEM, old.CertPEM},
		"the cross-certificate: not a certificate in PEM":    {nil, old.CertPEM, next.CertPEM},
		"the next root: not a certificate in PEM":            {good, old.CertPEM, []byte("x")},
		"the root: not a certificate in PEM":                 {good, nil, next.CertPEM},
		Fingerprint(mustParse(t, good)) + " is not self-sig": {good, old.CertPEM, good},
	} {
		require.ErrorContains(t, CheckCrossSigned(c.cross, c.root, c.next), want)
	}
}

// Whoever broke into a cluster has the key of its intermediate, which the root signed too.
func TestCheckCrossSigned_AThiefOfAnIntermediate_MakesNoRootOfIt(t *testing.T) {
	old := newRoot(t, ECDSAP256)
	set := issue(t, old, west(ECDSAP256))
	key, err := helpers.ParsePrivateKeyPEM(set.CAKey)
	require.NoError(t, err)
	his := mustParse(t, set.CACert)
	same := &x509.Certificate{SerialNumber: big.NewInt(1), RawSubject: his.RawSubject, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(day),
		KeyUsage: KeyUsage, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, same, same, key.Public(), key)
	require.NoError(t, err)
	require.EqualError(t, CheckCrossSigned(set.CACert, old.CertPEM, inPEM(der)), "what the root "+Fingerprint(old.cert)+" signed is not for a next root")
}

func TestCheckCrossSigned_ThatHasEnded_ProvesNothing(t *testing.T) {
	old, next := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), RawSubject: next.cert.RawSubject, NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day),
		KeyUsage: KeyUsage, IsCA: true, BasicConstraintsValid: true}, old.cert, next.key.Public(), old.key)
	require.NoError(t, err)
	require.ErrorContains(t, CheckCrossSigned(inPEM(der), old.CertPEM, next.CertPEM), "expired on")
}
