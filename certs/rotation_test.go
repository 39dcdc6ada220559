package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/helpers"
	"github.com/stretchr/testify/require"
)

// phase tells which roots a cluster trusts in a phase of a change of the root, as
// fleet.RootPhase counts them, and which one issued its intermediate.
type phase struct {
	old, next, nextSigns bool
}

var phases = []phase{{old: true}, {old: true, next: true}, {old: true, next: true, nextSigns: true}, {next: true, nextSigns: true}}

// workload has what it got when its cluster was in a phase.
type workload struct {
	chain []*x509.Certificate
	trust *x509.CertPool
}

// workloadOf issues the certificate of a workload with a cluster's cacerts, as istiod does.
func workloadOf(t *testing.T, set CACerts, cluster string) workload {
	t.Helper()
	caKey, err := helpers.ParsePrivateKeyPEM(set.CAKey)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	id := &url.URL{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/istio-system/sa/" + cluster}
	ca := mustParse(t, set.CACert)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), URIs: []*url.URL{id}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(day),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}, ca, key.Public(), caKey)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	chain, err := parseAll(set.CertChain)
	require.NoError(t, err)
	trust := x509.NewCertPool()
	require.True(t, trust.AppendCertsFromPEM(set.RootCert))
	return workload{append([]*x509.Certificate{leaf}, chain...), trust}
}

// accepts says whether a workload takes another one's certificate.
func (w workload) accepts(other workload) error {
	pool := x509.NewCertPool()
	for _, c := range other.chain[1:] {
		pool.AddCert(c)
	}
	_, err := other.chain[0].Verify(x509.VerifyOptions{Roots: w.trust, Intermediates: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// inEachPhase returns a workload of every cluster for each phase that its cluster may be in.
func inEachPhase(t *testing.T, clusters []string, algorithm string) map[string][]workload {
	t.Helper()
	old, next := newRoot(t, algorithm), newRoot(t, algorithm) // of one name, as those of a fleet are
	out := map[string][]workload{}
	for _, cluster := range clusters {
		for n, p := range phases {
			var bundle []byte
			signer := old
			if p.old {
				bundle = Bundle(bundle, old.CertPEM)
			}
			if p.next {
				bundle = Bundle(bundle, next.CertPEM)
			}
			if p.nextSigns {
				signer = next
			}
			spec := west(algorithm)
			spec.Cluster = cluster
			key, csr, err := NewRequest(spec)
			require.NoError(t, err)
			cert, err := signer.Sign(csr, spec)
			require.NoError(t, err)
			set := NewCACerts(bundle, cert, key)
			require.NoError(t, set.Check(bundle), "%s in phase %d", cluster, n)
			out[cluster] = append(out[cluster], workloadOf(t, set, cluster))
		}
	}
	return out
}

// A change of the root rests upon this: while a fleet goes from one phase to the next,
// forth or back, every cluster and every workload is in one of these two, in every mix, and each
// takes the certificate of each other. Workloads of one cluster differ, too: each gets its
// certificate when it renews the one before.
func TestRootChange_InEveryMixOfTwoPhases_EachTrustsEach(t *testing.T) {
	clusters := []string{"east", "west", "north"}
	all := inEachPhase(t, clusters, ECDSAP256)
	for n := range len(phases) - 1 {
		for mix := range 1 << len(clusters) { // which clusters have gone on
			for i, from := range clusters {
				for j, to := range clusters {
					a, b := all[from][n+mix>>i&1], all[to][n+mix>>j&1]
					require.NoError(t, b.accepts(a), "phases %d and %d, mix %03b: %s to %s", n, n+1, mix, from, to)
					require.NoError(t, a.accepts(b), "phases %d and %d, mix %03b: %s to %s", n, n+1, mix, to, from)
				}
			}
		}
	}
}

// The test above must be able to fail: who skips a phase is not trusted by those who did not.
func TestRootChange_WhoSkipsAPhase_IsNotTrusted(t *testing.T) {
	all := inEachPhase(t, []string{"east", "west"}, ECDSAP256)
	for _, skipped := range [][2]int{{0, 2}, {0, 3}, {1, 3}} {
		before, after := all["east"][skipped[0]], all["west"][skipped[1]]
		one, other := before.accepts(after), after.accepts(before)
		require.True(t, one != nil || other != nil, "phases %v", skipped)
	}
}

// OpenSSL looks for issuers as Envoy's BoringSSL does, by name first: both roots have the same.
func TestRootChange_OpenSSLFindsTheRightRoot(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	old, next := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	for name, bundle := range map[string][]byte{"both": Bundle(old.CertPEM, next.CertPEM), "turned round": Bundle(next.CertPEM, old.CertPEM)} {
		for i, signer := range []*Root{old, next} {
			set := issue(t, signer, west(ECDSAP256))
			roots, ca := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "ca.pem")
			require.NoError(t, os.WriteFile(roots, bundle, 0o600))
			require.NoError(t, os.WriteFile(ca, set.CACert, 0o600))
			out, err := exec.Command(openssl, "verify", "-x509_strict", "-CAfile", roots, ca).CombinedOutput()
			require.NoError(t, err, fmt.Sprintf("%s, root %d: %s", name, i, out))
		}
	}
}

func TestBundle_HasEachOnce_AndIsReadBack(t *testing.T) {
	a, b := newRoot(t, ECDSAP256), newRoot(t, ECDSAP256)
	bundle := Bundle(a.CertPEM, b.CertPEM, a.CertPEM)
	require.Len(t, Fingerprints(bundle), 2)
	parsed, err := parseAll(bundle)
	require.NoError(t, err)
	require.Len(t, parsed, 2)
	for _, bad := range [][]byte{nil, []byte("x"), append(Bundle(a.CertPEM), 'x')} {
		_, err := parseAll(bad)
		require.Error(t, err)
	}
}
