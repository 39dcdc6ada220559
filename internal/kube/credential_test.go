package kube

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
)

func jwt(claims string) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(claims) + ".c2ln"
}

func TestCredentialEnds_OfEveryKindOfKubeconfig(t *testing.T) {
	end := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	token := jwt(fmt.Sprintf(`{"exp":%d}`, end.Unix()))
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	certificate, _, err := cert.GenerateSelfSignedCertKey("test", nil, nil)
	require.NoError(t, err)
	chain, err := cert.ParseCertsPEM(certificate)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		cfg  rest.Config
		want time.Time
	}{
		"a token":                 {rest.Config{BearerToken: token}, end},
		"a token in a file":       {rest.Config{BearerToken: "old", BearerTokenFile: file}, end},
		"a token without an end":  {rest.Config{BearerToken: jwt(`{"sub":"x"}`)}, time.Time{}},
		"a token that is no JWT":  {rest.Config{BearerToken: "sha256~abc"}, time.Time{}},
		"a token that is garbage": {rest.Config{BearerToken: "a.%%%.c"}, time.Time{}},
		"a file that is gone":     {rest.Config{BearerTokenFile: file + "x"}, time.Time{}},
		"a certificate":           {rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: certificate}}, chain[0].NotAfter},
		"an exec plugin":          {rest.Config{BearerToken: token, ExecProvider: &clientcmdapi.ExecConfig{}}, time.Time{}},
		"nothing":                 {rest.Config{}, time.Time{}},
	} {
		got := (&Cluster{Config: &c.cfg}).CredentialEnds()
		require.True(t, c.want.Equal(got), "%s: want %s, got %s", name, c.want, got)
	}
}
