package api

import "time"

// CertificateFacts holds what may be shown of a certificate.
type CertificateFacts struct {
	// Subject in RFC 2253's form.
	Subject string `json:"subject"`
	// Fingerprint has the SHA-256 of the certificate: "sha256:" and 64 hex digits.
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"notAfter,omitzero"`
}
