package certs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCACerts_ThroughASecret_AreTheSame(t *testing.T) {
	set := issue(t, newRoot(t, ECDSAP256), west(ECDSAP256))
	data := set.Data()
	for _, name := range []string{"root-cert.pem", "ca-cert.pem", "ca-key.pem", "cert-chain.pem"} {
		require.NotEmpty(t, data[name], "istiod reads %s", name)
	}
	require.Len(t, data, 4)
	require.Equal(t, set, CACertsFrom(data))
	require.Equal(t, CACerts{}, CACertsFrom(nil))
}

// cert-manager writes a Secret of type kubernetes.io/tls, which istiod prefers.
func TestCACertsFrom_ReadsCertManagersLayout(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	set := issue(t, root, west(ECDSAP256))
	data := map[string][]byte{"tls.crt": set.CACert, "tls.key": set.CAKey, "ca.crt": set.RootCert}
	require.NoError(t, CACertsFrom(data).Check(root.CertPEM))
	require.Equal(t, set, CACertsFrom(data))
	data["root-cert.pem"], data["ca-cert.pem"] = []byte("old"), []byte("old")
	require.Equal(t, set, CACertsFrom(data), "as istiod does")
	delete(data, "ca.crt")
	require.ErrorContains(t, CACertsFrom(data).Check(root.CertPEM), "its root (unreadable) is not the fleet's root")
}

func TestSign_AnIntermediateEndsWithItsRootAtTheLatest(t *testing.T) {
	root, err := NewRoot(RootSpec{CommonName: "Root CA", Organization: "my-company.org", KeyAlgorithm: ECDSAP256, Lifetime: 30 * day})
	require.NoError(t, err)
	cert := mustParse(t, issue(t, root, west(ECDSAP256)).CACert) // it asks for ten years
	require.Equal(t, root.Certificate().NotAfter, cert.NotAfter)
	require.False(t, cert.NotBefore.Before(root.Certificate().NotBefore))
	require.True(t, cert.NotBefore.Before(time.Now()), "clocks may differ a little")
}

func TestRequests_ThatCannotBe_SayWhy(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	_, err := RequestFor([]byte("secret bytes"), spec)
	require.EqualError(t, err, "the kept key of the intermediate of west is not a private key in PEM")
	_, err = root.Sign([]byte("not a CSR"), spec)
	require.ErrorContains(t, err, "sign the intermediate of west")
	spec.KeyAlgorithm = "DSA"
	_, _, err = NewRequest(spec)
	require.EqualError(t, err, `key algorithm "DSA" is neither RSA-4096 nor ECDSA-P256`)
}

func TestDescribe_ShowsSubjectFingerprintAndEnd(t *testing.T) {
	root := newRoot(t, ECDSAP256)
	facts, err := Describe(root.CertPEM)
	require.NoError(t, err)
	require.Equal(t, Facts{Subject: "CN=East Root CA,O=my-company.org", Fingerprint: Fingerprint(root.Certificate()), NotAfter: root.Certificate().NotAfter}, facts)
	_, err = Describe([]byte("x"))
	require.ErrorContains(t, err, "not a certificate in PEM")
}
