package api

import "time"

// CertificateFacts holds what may be shown of a certificate.
type CertificateFacts struct {
	// Subject in RFC 2253's form.
	Subject string `json:"subject"`
	// Fingerprint starts with "sha256:" and has the first 8 bytes in hex.
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"notAfter,omitzero"`
}
