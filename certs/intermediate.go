package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/cloudflare/cfssl/csr"
	"github.com/cloudflare/cfssl/helpers"
)

// IntermediateSpec describes a cluster's intermediate.
type IntermediateSpec struct {
	// Cluster is the locality, as in Istio's tools/certs.
	Cluster      string
	Organization string
	// DNSName is istiod's: istiod.<namespace>.svc.
	DNSName string
	// KeyAlgorithm is RSA4096 or ECDSAP256.
	KeyAlgorithm string
	Lifetime     time.Duration
	// Issuer says that somebody else's CA signs, which has names, usages and a lifetime of
	// its own: then only what istiod needs is checked.
	Issuer bool
}

// CommonName of the intermediate, as the guide has it: "<cluster> Intermediate CA".
func (s IntermediateSpec) CommonName() string { return s.Cluster + " Intermediate CA" }

// NewRequest makes an intermediate's private key and the CSR for it, both PEM.
// The key is to stay where it was made; the CSR is public.
func NewRequest(spec IntermediateSpec) (keyPEM, csrPEM []byte, err error) {
	kr, err := keyRequest(spec.KeyAlgorithm)
	if err != nil {
		return nil, nil, err
	}
	request := spec.request()
	request.KeyRequest = kr
	csrPEM, keyPEM, err = csr.ParseRequest(request)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of the intermediate of %s: %w", spec.Cluster, err)
	}
	return keyPEM, csrPEM, nil
}

// RequestFor makes the CSR for a key that was made before, so that a step that
// is tried again does not make another key.
func RequestFor(keyPEM []byte, spec IntermediateSpec) ([]byte, error) {
	key, err := helpers.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("the kept key of the intermediate of %s is not a private key in PEM", spec.Cluster)
	}
	csrPEM, err := csr.Generate(key, spec.request())
	if err != nil {
		return nil, fmt.Errorf("make the CSR of the intermediate of %s: %w", spec.Cluster, err)
	}
	return csrPEM, nil
}

// request returns what the CSR asks for. The fleet's own root takes nothing of it.
func (s IntermediateSpec) request() *csr.CertificateRequest {
	return &csr.CertificateRequest{CN: s.CommonName(), Names: []csr.Name{{O: s.Organization, L: s.Cluster}}, Hosts: []string{s.DNSName}}
}

// CACerts holds the content of Istio's Secret cacerts.
type CACerts struct {
	RootCert, CACert, CAKey, CertChain []byte
}

// Istio's names for the keys of the Secret cacerts.
const (
	nameRootCert  = "root-cert.pem"
	nameCACert    = "ca-cert.pem"
	nameCAKey     = "ca-key.pem"
	nameCertChain = "cert-chain.pem"
)

// NewCACerts puts together what istiod reads from the Secret cacerts: the chain
// is the intermediate, the CAs that follow it in certPEM, then the root, or the bundle of
// roots that are trusted.
func NewCACerts(rootPEM, certPEM, keyPEM []byte) CACerts {
	set := CACerts{RootCert: rootPEM, CACert: certPEM, CAKey: keyPEM,
		CertChain: append(append(bytes.Clone(bytes.TrimSpace(certPEM)), '\n'), rootPEM...)}
	if first, rest := pem.Decode(certPEM); first != nil && len(bytes.TrimSpace(rest)) > 0 {
		set.CACert = pem.EncodeToMemory(first)
	}
	return set
}

// Data returns the Secret's data by Istio's names.
func (c CACerts) Data() map[string][]byte {
	return map[string][]byte{nameRootCert: c.RootCert, nameCACert: c.CACert, nameCAKey: c.CAKey, nameCertChain: c.CertChain}
}

// The keys of a Secret of type kubernetes.io/tls, as cert-manager writes it.
const (
	nameTLSCert = "tls.crt"
	nameTLSKey  = "tls.key"
	nameTLSRoot = "ca.crt"
)

// CACertsFrom reads a Secret's data in either of the layouts that istiod reads;
// missing keys become empty. Like istiod it prefers tls.crt, and makes the chain of
// tls.crt and ca.crt.
func CACertsFrom(data map[string][]byte) CACerts {
	if cert, ok := data[nameTLSCert]; ok {
		return NewCACerts(data[nameTLSRoot], cert, data[nameTLSKey])
	}
	return CACerts{RootCert: data[nameRootCert], CACert: data[nameCACert], CAKey: data[nameCAKey], CertChain: data[nameCertChain]}
}

// Check says whether istiod can work with the set under the given root, or bundle of roots:
// every certificate parses, the chain leads from the intermediate to one of the roots and ends
// with the bundle, and the key is the intermediate's. The error never quotes the key.
func (c CACerts) Check(rootPEM []byte) error {
	if !bytes.Equal(bytes.TrimSpace(c.RootCert), bytes.TrimSpace(rootPEM)) {
		return fmt.Errorf("its root %s is not the fleet's root %s", fingerprintOf(c.RootCert), fingerprintOf(rootPEM))
	}
	roots, err := parseAll(rootPEM)
	if err != nil {
		return fmt.Errorf("the root: %w", err)
	}
	cert, err := parse(c.CACert)
	if err != nil {
		return err
	}
	chain, err := parseAll(c.CertChain)
	if err != nil {
		return fmt.Errorf("its %s: %w", nameCertChain, err)
	}
	if err := checkIssuedBy(cert, roots, chain); err != nil {
		return err
	}
	if err := KeyMatches(c.CAKey, c.CACert); err != nil {
		return err
	}
	if len(chain) <= len(roots) || !chain[0].Equal(cert) || !slices.EqualFunc(chain[len(chain)-len(roots):], roots, (*x509.Certificate).Equal) {
		return fmt.Errorf("its %s does not begin with the intermediate and end with the root", nameCertChain)
	}
	return nil
}
