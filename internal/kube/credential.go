package kube

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/util/cert"
)

// CredentialEnds returns when the credential of the cluster's kubeconfig ends: its
// client certificate, or its token where that is a JWT. It returns zero where nobody
// can know (an exec plugin renews its own).
func (c *Cluster) CredentialEnds() time.Time {
	if c.Config.ExecProvider != nil {
		return time.Time{}
	}
	if data := orFile(c.Config.CertData, c.Config.CertFile); len(data) > 0 {
		if chain, err := cert.ParseCertsPEM(data); err == nil && len(chain) > 0 {
			return chain[0].NotAfter
		}
	}
	return tokenEnds(string(orFile([]byte(c.Config.BearerToken), c.Config.BearerTokenFile)))
}

// orFile returns the file's contents where one is named: client-go reads it anew, too.
func orFile(data []byte, file string) []byte {
	if file == "" {
		return data
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return data
}

// tokenEnds reads the claim exp of a JWT, which nobody needs to trust for this.
func tokenEnds(token string) time.Time {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp == 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}
