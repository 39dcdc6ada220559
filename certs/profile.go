// Package certs issues the fleet's certificates with cfssl: one self-signed root,
// and per cluster one intermediate, with which istiod signs those of workloads. The
// fields are those of Istio's tools/certs (guide steps 2 and 3). The package knows
// neither Temporal nor Kubernetes, keeps nothing, and checks every certificate that
// it returns with crypto/x509.
package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/cloudflare/cfssl/config"
	"github.com/cloudflare/cfssl/csr"
	"github.com/cloudflare/cfssl/log"
	"github.com/cloudflare/cfssl/signer"
)

// The key algorithms that the fleet file knows.
const (
	RSA4096   = "RSA-4096"
	ECDSAP256 = "ECDSA-P256"
)

// KeyUsage has the usages that Istio's tools/certs put into roots and intermediates.
const KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment |
	x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign

var usages = []string{"digital signature", "content commitment", "key encipherment", "cert sign"}

// oidSAN identifies the extension subjectAltName.
var oidSAN = asn1.ObjectIdentifier{2, 5, 29, 17}

// backdate forgives clocks that are a little behind.
const backdate = 5 * time.Minute

// cfssl writes a line to stderr for every key and signature; what happens is
// on record in the workflow's history instead.
func init() { log.Level = log.LevelFatal }

// keyRequest translates a key algorithm of the fleet file for cfssl.
func keyRequest(algorithm string) (*csr.KeyRequest, error) {
	switch algorithm {
	case RSA4096:
		return &csr.KeyRequest{A: "rsa", S: 4096}, nil
	case ECDSAP256:
		return &csr.KeyRequest{A: "ecdsa", S: 256}, nil
	}
	return nil, fmt.Errorf("key algorithm %q is neither %s nor %s", algorithm, RSA4096, ECDSAP256)
}

// policy returns cfssl's signing policy for one kind of CA certificate.
func policy(lifetime time.Duration, pathLenZero bool) *config.Signing {
	return &config.Signing{Default: &config.SigningProfile{
		Usage:        usages,
		Expiry:       lifetime,
		Backdate:     backdate,
		CAConstraint: config.CAConstraint{IsCA: true, MaxPathLenZero: pathLenZero},
		// cfssl drops the DNS names of CA certificates, so they come as an
		// extension, and only this one may.
		ExtensionWhitelist: map[string]bool{oidSAN.String(): true},
		// Nothing but the key is taken from a CSR: the signer says who is who.
		CSRWhitelist: &config.CSRWhitelist{PublicKey: true, PublicKeyAlgorithm: true, SignatureAlgorithm: true},
	}}
}

// sanExtension encodes a subjectAltName with one DNS name.
func sanExtension(dnsName string) (signer.Extension, error) {
	const tagDNSName = 2
	der, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: tagDNSName, Bytes: []byte(dnsName)}})
	if err != nil {
		return signer.Extension{}, fmt.Errorf("encode the SAN %s: %w", dnsName, err)
	}
	return signer.Extension{ID: config.OID(oidSAN), Value: hex.EncodeToString(der)}, nil
}
