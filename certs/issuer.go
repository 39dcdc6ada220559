package certs

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// IssuerError reports that an issuer did not sign, or that what it answered cannot be
// used. The reason quotes no key.
type IssuerError struct {
	Reason string
	// Later says that the same request may be answered otherwise soon.
	Later bool
}

// Error returns the reason.
func (e *IssuerError) Error() string { return e.Reason }

// refused returns an *IssuerError that the next try would meet, too.
func refused(format string, args ...any) error {
	return &IssuerError{Reason: fmt.Sprintf(format, args...)}
}

// IssuerRoot checks the certificate of the root at which what an issuer signs ends: a
// self-signed CA, valid now.
func IssuerRoot(rootPEM []byte) (*x509.Certificate, error) {
	root, err := parse(rootPEM)
	if err == nil {
		err = checkCA(root)
	}
	if err != nil {
		return nil, refused("the issuer's root: %v", err)
	}
	if root.CheckSignatureFrom(root) != nil {
		return nil, refused("the issuer's CA %s (%s) is no root: %s issued it; give the certificate of that root in spec.ca.issuer.root", Fingerprint(root), root.Subject, root.Issuer)
	}
	return root, nil
}

// WithoutRoot drops the root from the end of what an issuer answered: the chain gets it
// anyway.
func WithoutRoot(bundle, rootPEM []byte) []byte {
	all, err := parseAll(bundle)
	root, failed := parse(rootPEM)
	if err != nil || failed != nil || len(all) < 2 || !all[len(all)-1].Equal(root) {
		return bundle
	}
	var out []byte
	for _, cert := range all[:len(all)-1] {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}

// CheckIssued checks what an issuer answered to a CSR: that the certificate is for the
// CSR's key, a CA, valid now, and comes from the root by way of the CAs that follow it.
func CheckIssued(bundle, csrPEM, rootPEM []byte, spec IntermediateSpec) error {
	all, err := parseAll(bundle)
	if err != nil {
		return refused("the issuer's answer for %s is %v", spec.Cluster, err)
	}
	block, _ := pem.Decode(csrPEM)
	if block == nil {
		return refused("the CSR of %s is none in PEM", spec.Cluster)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return refused("the CSR of %s is none: %v", spec.Cluster, err)
	}
	if !samePublicKey(all[0].PublicKey, csr.PublicKey) {
		return refused("the issuer signed another key than that of %s", spec.Cluster)
	}
	spec.Issuer = true
	if err := CheckIntermediate(bundle, rootPEM, spec); err != nil {
		return refused("the issuer's certificate for %s cannot be used: %v", spec.Cluster, err)
	}
	return nil
}
