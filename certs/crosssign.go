package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"
)

// nextRootMark is in each cross-certificate and in nothing else that a root of Landbridge signs.
// Without it, whoever has the key of an intermediate could make a root of the same key, and the
// intermediate would vouch for it.
var nextRootMark = &url.URL{Scheme: "urn", Opaque: "landbridge.dev:next-root"}

// crossLifetime limits how long a cross-certificate counts: it is looked at when a cluster
// accepts the next root, in the run that asked for it.
const crossLifetime = 7 * 24 * time.Hour

// CrossSign returns the cross-certificate with which a root vouches for the one that is to take
// its place: the next root's subject and public key, signed by this one. It is a proof only, and
// no part of any chain.
func (r *Root) CrossSign(next *Root) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return nil, fmt.Errorf("sign the next root: %w", err)
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, RawSubject: next.cert.RawSubject, SubjectKeyId: next.cert.SubjectKeyId,
		AuthorityKeyId: r.cert.SubjectKeyId, // both roots may have one name, and then it is not set by itself
		NotBefore:      now.Add(-backdate), NotAfter: now.Add(crossLifetime),
		KeyUsage: KeyUsage, BasicConstraintsValid: true, IsCA: true, URIs: []*url.URL{nextRootMark},
	}, r.cert, next.key.Public(), r.key)
	if err != nil {
		return nil, fmt.Errorf("sign the next root: %w", err)
	}
	cross := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := CheckCrossSigned(cross, r.CertPEM, next.CertPEM); err != nil {
		return nil, fmt.Errorf("the cross-certificate that was just signed: %w", err)
	}
	return cross, nil
}

// CheckCrossSigned says whether a cross-certificate proves that a root vouches for the next one,
// which must be a self-signed CA that is valid now.
func CheckCrossSigned(crossPEM, rootPEM, nextPEM []byte) error {
	cross, err := parse(crossPEM)
	if err != nil {
		return fmt.Errorf("the cross-certificate: %w", err)
	}
	root, err := parse(rootPEM)
	if err != nil {
		return fmt.Errorf("the root: %w", err)
	}
	next, err := parse(nextPEM)
	if err != nil {
		return fmt.Errorf("the next root: %w", err)
	}
	for _, ca := range []*x509.Certificate{cross, next} {
		if err := checkCA(ca); err != nil {
			return err
		}
	}
	switch {
	case next.CheckSignatureFrom(next) != nil:
		return fmt.Errorf("%s is not self-signed", Fingerprint(next))
	case cross.CheckSignatureFrom(root) != nil:
		return fmt.Errorf("the cross-certificate was not signed by the root %s", Fingerprint(root))
	case !slices.ContainsFunc(cross.URIs, func(u *url.URL) bool { return *u == *nextRootMark }):
		return fmt.Errorf("what the root %s signed is not for a next root", Fingerprint(root))
	case !samePublicKey(cross.PublicKey, next.PublicKey) || !bytes.Equal(cross.RawSubject, next.RawSubject):
		return fmt.Errorf("the cross-certificate is for another root than %s", Fingerprint(next))
	}
	return nil
}
