package certs

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudflare/cfssl/helpers"
)

// CheckIntermediate checks that a certificate matches the spec and that the root
// issued it, using nothing but crypto/x509. The CAs between the two may follow it.
func CheckIntermediate(certPEM, rootPEM []byte, spec IntermediateSpec) error {
	bundle, err := parseAll(certPEM)
	if err != nil {
		return err
	}
	root, err := parse(rootPEM)
	if err != nil {
		return fmt.Errorf("the root: %w", err)
	}
	cert := bundle[0]
	if err := checkIssuedBy(cert, []*x509.Certificate{root}, bundle[1:]); err != nil {
		return err
	}
	if spec.Issuer {
		return checkAlgorithm(cert, spec)
	}
	switch {
	case cert.KeyUsage&KeyUsage != KeyUsage:
		return fmt.Errorf("%s lacks a key usage that istiod's CA needs", Fingerprint(cert))
	case cert.MaxPathLen != 0 || !cert.MaxPathLenZero:
		return fmt.Errorf("pathlen is %d, want 0", cert.MaxPathLen)
	case cert.Subject.CommonName != spec.CommonName():
		return fmt.Errorf("its CN is %q, want %q", cert.Subject.CommonName, spec.CommonName())
	case !slices.Equal(cert.Subject.Organization, []string{spec.Organization}):
		return fmt.Errorf("its O is %q, want %q", cert.Subject.Organization, spec.Organization)
	case !slices.Equal(cert.Subject.Locality, []string{spec.Cluster}):
		return fmt.Errorf("its L is %q, want %q", cert.Subject.Locality, spec.Cluster)
	case !slices.Equal(cert.DNSNames, []string{spec.DNSName}):
		return fmt.Errorf("the SANs are %q, want %q", cert.DNSNames, spec.DNSName)
	}
	return checkSettings(cert, root, spec)
}

// KeyMatches says whether a private key belongs to a certificate. The error
// never quotes the key.
func KeyMatches(keyPEM, certPEM []byte) error {
	cert, err := parse(certPEM)
	if err != nil {
		return err
	}
	key, err := publicOf(keyPEM)
	if err != nil {
		return err
	}
	if !samePublicKey(cert.PublicKey, key) {
		return fmt.Errorf("the key does not belong to the certificate %s", Fingerprint(cert))
	}
	return nil
}

// RequestIsOf says whether a CSR was made with a private key. The error never quotes the key.
func RequestIsOf(csrPEM, keyPEM []byte) error {
	csr, _, err := helpers.ParseCSR(csrPEM)
	if err != nil {
		return fmt.Errorf("not a CSR in PEM: %w", err)
	}
	key, err := publicOf(keyPEM)
	if err != nil {
		return err
	}
	if !samePublicKey(csr.PublicKey, key) {
		return fmt.Errorf("the CSR was made with another key")
	}
	return nil
}

// publicOf returns the public half of a private key. The error never quotes the key.
func publicOf(keyPEM []byte) (crypto.PublicKey, error) {
	key, err := helpers.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("the key is not a private key in PEM")
	}
	return key.Public(), nil
}

// NeedsRenewal says whether a certificate is in the last third of its life, which ends
// with that of the CAs that may follow it.
func NeedsRenewal(certPEM []byte, now time.Time) (bool, error) {
	bundle, err := parseAll(certPEM)
	if err != nil {
		return false, err
	}
	ends := bundle[0].NotAfter
	for _, ca := range bundle {
		if ca.NotAfter.Before(ends) {
			ends = ca.NotAfter
		}
	}
	return ends.Sub(now) < ends.Sub(bundle[0].NotBefore)/3, nil
}

// Facts describe a certificate without its key.
type Facts struct {
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"notAfter"`
}

// Describe reads the facts of the first certificate in a PEM file.
func Describe(certPEM []byte) (Facts, error) {
	all, err := parseAll(certPEM)
	if err != nil {
		return Facts{}, err
	}
	cert := all[0]
	return Facts{Subject: cert.Subject.String(), Fingerprint: Fingerprint(cert), NotAfter: cert.NotAfter}, nil
}

// Fingerprint returns the certificate's SHA-256, whole: clusters trust a root by it. It is that of
// `openssl x509 -fingerprint -sha256`, in lower case and without colons.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Fingerprints returns those of all certificates in a PEM bundle, and passes over
// what is none.
func Fingerprints(bundle []byte) (out []string) {
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return out
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, Fingerprint(cert))
		}
	}
}

// Named returns the certificate with a fingerprint out of a PEM bundle, or nil.
func Named(bundle []byte, fingerprint string) []byte {
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return nil
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && Fingerprint(cert) == fingerprint {
			return pem.EncodeToMemory(block)
		}
	}
}

func fingerprintOf(certPEM []byte) string {
	f, err := Describe(certPEM)
	if err != nil {
		return "(unreadable)"
	}
	return f.Fingerprint
}

// parse reads exactly one certificate.
func parse(certPEM []byte) (*x509.Certificate, error) {
	all, err := parseAll(certPEM)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fmt.Errorf("more than one certificate where one is expected")
	}
	return all[0], nil
}

// parseAll reads a bundle that holds nothing but certificates, and one at least.
func parseAll(bundle []byte) (out []*x509.Certificate, err error) {
	for len(out) == 0 || len(bytes.TrimSpace(bundle)) > 0 {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil || block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("not a certificate in PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("not a certificate: %w", err)
		}
		out = append(out, cert)
	}
	return out, nil
}

// Bundle puts certificates together that are trusted beside each other, each one once.
func Bundle(certsPEM ...[]byte) []byte {
	var out []byte
	for i, c := range certsPEM {
		if c = bytes.TrimSpace(c); len(c) > 0 && !slices.ContainsFunc(certsPEM[:i], func(o []byte) bool { return bytes.Equal(bytes.TrimSpace(o), c) }) {
			out = append(append(out, c...), '\n')
		}
	}
	return out
}

// checkCA says whether a certificate may sign others now.
func checkCA(cert *x509.Certificate) error {
	now := time.Now()
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return fmt.Errorf("%s is not a CA", Fingerprint(cert))
	case cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%s may not sign certificates", Fingerprint(cert))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("%s is not valid before %s", Fingerprint(cert), cert.NotBefore.Format(time.RFC3339))
	case now.After(cert.NotAfter):
		return fmt.Errorf("%s expired on %s", Fingerprint(cert), cert.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// checkIssuedBy says whether a CA certificate was issued by one of the roots, or by one of the
// CAs between that a root issued, and may sign now.
func checkIssuedBy(cert *x509.Certificate, roots, between []*x509.Certificate) error {
	if err := checkCA(cert); err != nil {
		return err
	}
	pool, others, names := x509.NewCertPool(), x509.NewCertPool(), []string(nil)
	for _, root := range roots {
		pool.AddCert(root)
		names = append(names, Fingerprint(root))
	}
	for _, ca := range between {
		others.AddCert(ca)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, Intermediates: others, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return fmt.Errorf("%s was not issued by the root %s: %w", Fingerprint(cert), strings.Join(names, " or "), err)
	}
	return nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	eq, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && eq.Equal(b)
}
