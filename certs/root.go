package certs

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/cloudflare/cfssl/csr"
	"github.com/cloudflare/cfssl/helpers"
	"github.com/cloudflare/cfssl/signer"
	"github.com/cloudflare/cfssl/signer/local"
)

// RootSpec describes a root.
type RootSpec struct {
	CommonName   string
	Organization string
	// KeyAlgorithm is RSA4096 or ECDSAP256.
	KeyAlgorithm string
	Lifetime     time.Duration
}

// Root holds a fleet's root CA with its private key. It must not be serialized
// into anything but the store that keeps it.
type Root struct {
	// CertPEM is public.
	CertPEM []byte
	// KeyPEM is the private key.
	KeyPEM []byte

	cert *x509.Certificate
	key  crypto.Signer
}

// NewRoot makes a key and a self-signed root (guide step 3, "root-ca").
func NewRoot(spec RootSpec) (*Root, error) {
	kr, err := keyRequest(spec.KeyAlgorithm)
	if err != nil {
		return nil, err
	}
	request, keyPEM, err := csr.ParseRequest(&csr.CertificateRequest{CN: spec.CommonName, KeyRequest: kr})
	if err != nil {
		return nil, fmt.Errorf("make the root's key: %w", err)
	}
	key, err := helpers.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read the root's key back: %w", err)
	}
	s, err := local.NewSigner(key, nil, signer.DefaultSigAlgo(key), policy(spec.Lifetime, false))
	if err != nil {
		return nil, fmt.Errorf("set up the root's signer: %w", err)
	}
	certPEM, err := s.Sign(signer.SignRequest{Request: string(request), Subject: subject(spec.CommonName, spec.Organization, "")})
	if err != nil {
		return nil, fmt.Errorf("sign the root: %w", err)
	}
	return ParseRoot(certPEM, keyPEM)
}

// ParseRoot reads a root that was kept, and checks that it can sign: that it is
// a self-signed CA, valid now, and that the key is its own.
func ParseRoot(certPEM, keyPEM []byte) (*Root, error) {
	cert, err := parse(certPEM)
	if err != nil {
		return nil, fmt.Errorf("the root's certificate: %w", err)
	}
	key, err := helpers.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		// The cause may quote what it could not parse.
		return nil, fmt.Errorf("the root's key is not a private key in PEM")
	}
	if err := checkCA(cert); err != nil {
		return nil, fmt.Errorf("the root's certificate: %w", err)
	}
	if err := cert.CheckSignatureFrom(cert); err != nil {
		return nil, fmt.Errorf("the root's certificate is not self-signed: %w", err)
	}
	if !samePublicKey(cert.PublicKey, key.Public()) {
		return nil, fmt.Errorf("the root's key does not belong to its certificate %s", Fingerprint(cert))
	}
	return &Root{CertPEM: certPEM, KeyPEM: keyPEM, cert: cert, key: key}, nil
}

// Certificate returns the parsed root.
func (r *Root) Certificate() *x509.Certificate { return r.cert }

// Sign signs the CSR of a cluster's intermediate (guide step 3, "<cluster>-cacerts").
// Only the CSR's public key is taken over. The lifetime ends with the root's
// at the latest. The certificate was checked with CheckIntermediate.
func (r *Root) Sign(csrPEM []byte, spec IntermediateSpec) ([]byte, error) {
	san, err := sanExtension(spec.DNSName)
	if err != nil {
		return nil, err
	}
	s, err := local.NewSigner(r.key, r.cert, signer.DefaultSigAlgo(r.key), policy(spec.Lifetime, true))
	if err != nil {
		return nil, fmt.Errorf("set up the root's signer: %w", err)
	}
	notBefore := time.Now().Add(-backdate).Truncate(time.Second)
	if notBefore.Before(r.cert.NotBefore) {
		notBefore = r.cert.NotBefore
	}
	notAfter := notBefore.Add(spec.Lifetime)
	if notAfter.After(r.cert.NotAfter) {
		notAfter = r.cert.NotAfter
	}
	certPEM, err := s.Sign(signer.SignRequest{
		Request: string(csrPEM), Subject: subject(spec.CommonName(), spec.Organization, spec.Cluster),
		Extensions: []signer.Extension{san}, NotBefore: notBefore, NotAfter: notAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("sign the intermediate of %s: %w", spec.Cluster, err)
	}
	if err := CheckIntermediate(certPEM, r.CertPEM, spec); err != nil {
		return nil, fmt.Errorf("the certificate that was just signed: %w", err)
	}
	return certPEM, nil
}

func subject(cn, organization, locality string) *signer.Subject {
	return &signer.Subject{CN: cn, Names: []csr.Name{{O: organization, L: locality}}}
}
