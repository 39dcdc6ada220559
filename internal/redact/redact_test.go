package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecrets_ReplacesEachShapeAndKeepsTheRest(t *testing.T) {
	const pem = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIabc\n-----END EC PRIVATE KEY-----"
	for name, secret := range map[string]string{
		"a PEM key":                 pem,
		"a PEM key that is cut off": pem[:40],
		"a JWT":                     "eyJhbGciOiJSUzI1NiIsImtpZCI6In.eyJpc3MiOiJrdWJlcm5ldGVzL3Nl.abc_DEF-1",
		"an age identity":           "AGE-SECRET-KEY-1QQQQQQQQQQ",
		"a token of OpenShift":      "sha256~Zx8-Qw3rTy7_uIoP1aSdFgHjKlZxCvBnM2qWeRtY456",
		"a token of EKS":            "k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20vP0FjdGlvbj0",
		"a token of Google":         "ya29.a0AfB_byDExampleExampleExample-123",
		"a token of DigitalOcean":   "dop_v1_" + strings.Repeat("0af1", 16),
		"a token of Rancher":        "kubeconfig-u-abc12x7k9p:" + strings.Repeat("q7xk2", 11),
		"another one of Rancher":    "token-x7k9p:" + strings.Repeat("q7xk2", 11),
		"a webhook's key":           "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"a webhook of Slack":        "hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX",
		"a header":                  "Bearer " + strings.Repeat("abc123", 6),
		"long base64":               strings.Repeat("QUJD", 40) + "==",
	} {
		require.Equal(t, "before (redacted)", Secrets("before "+secret), name)
	}
	require.Equal(t, "(redacted) and after", Secrets(pem+" and after"))
	for _, harmless := range []string{"", "cluster west: a Gateway is missing", "sha256:" + strings.Repeat("0af1", 16), "token-abcde is no token", "Bearer of news", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", strings.Repeat("QUJD", 29)} {
		require.Equal(t, harmless, Secrets(harmless))
	}
}
