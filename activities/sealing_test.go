package activities

import (
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestSealing_OnlyTheSourceOpensIt(t *testing.T) {
	east, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	north, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	want := credentials{CA: []byte("ca"), Token: []byte("token")}
	sealed, err := seal(east.Recipient().String(), want)
	require.NoError(t, err)
	require.NotContains(t, sealed, "token")
	got, err := unseal([]byte(east.String()), sealed)
	require.NoError(t, err)
	require.Equal(t, want, got)

	for name, c := range map[string]struct{ key, sealed string }{
		"another cluster's key": {north.String(), sealed},
		"no key":                {"", sealed},
		"not base64":            {east.String(), "*"},
		"cut off":               {east.String(), sealed[:len(sealed)/2]},
	} {
		_, err := unseal([]byte(c.key), c.sealed)
		var dead *kube.DeadEndError
		require.ErrorAs(t, err, &dead, name)
		require.NotContains(t, err.Error(), "AGE-SECRET", name)
	}
}

func TestRemoteSecret_IsWhatIstioctlWrites(t *testing.T) {
	in := api.EnsureRemoteSecretInput{LinkRef: api.LinkRef{ClusterRef: api.ClusterRef{Namespace: "istio-system"}, Link: fleet.Link{From: "east", To: "west"}}, TLSServerName: "api.west"}
	s, err := remoteSecret(in, credentials{CA: []byte("ca"), Token: []byte("token")})
	require.NoError(t, err)
	require.Equal(t, "istio-remote-secret-west", s.Name)
	require.Equal(t, map[string]string{"istio/multiCluster": "true"}, s.Labels)
	require.Equal(t, map[string]string{"networking.istio.io/cluster": "west"}, s.Annotations)
	cfg, err := clientcmd.RESTConfigFromKubeConfig(s.Data["west"])
	require.NoError(t, err)
	require.Equal(t, "https://kube-apiserver-west-egress-gateway.istio-system.svc.cluster.local:443", cfg.Host)
	require.Equal(t, "api.west", cfg.TLSClientConfig.ServerName)
	require.Equal(t, "token", cfg.BearerToken)
	require.Equal(t, []byte("ca"), cfg.CAData)
}
