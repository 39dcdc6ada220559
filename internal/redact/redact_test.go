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
		"long base64":               strings.Repeat("QUJD", 40) + "==",
	} {
		require.Equal(t, "before (redacted)", Secrets("before "+secret), name)
	}
	require.Equal(t, "(redacted) and after", Secrets(pem+" and after"))
	for _, harmless := range []string{"", "cluster west: a Gateway is missing", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", strings.Repeat("QUJD", 29)} {
		require.Equal(t, harmless, Secrets(harmless))
	}
}
