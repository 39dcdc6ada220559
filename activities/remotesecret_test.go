package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

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

// istiod knows a cluster by the key; names of objects are ours.
func TestRemoteSecret_OfATargetWithAnotherClusterID_IsKeyedByIt(t *testing.T) {
	const id = "cn-acme-prod-europe-west1-mesh-a"
	in := api.EnsureRemoteSecretInput{LinkRef: api.LinkRef{ClusterRef: api.ClusterRef{Namespace: "istio-system"}, Link: fleet.Link{From: "east", To: "west"}, TargetID: id}, TLSServerName: "api.west"}
	s, err := remoteSecret(in, credentials{CA: []byte("ca"), Token: []byte("token")})
	require.NoError(t, err)
	require.Equal(t, "istio-remote-secret-west", s.Name)
	require.Equal(t, id, s.Annotations["networking.istio.io/cluster"])
	require.Len(t, s.Data, 1)
	cfg, err := clientcmd.RESTConfigFromKubeConfig(s.Data[id])
	require.NoError(t, err)
	require.Equal(t, "https://kube-apiserver-west-egress-gateway.istio-system.svc.cluster.local:443", cfg.Host)
}

func TestReaderToken_ForOneSource_IsSealedAndRevocable(t *testing.T) {
	source, target := newWorld(t, "east").withInventory(), newWorld(t, "west").withInventory()
	link := fleet.Link{From: "east", To: "west"}
	in := target.readerToken(link)
	in.Recipient = source.recipient()
	target.reaches("east", source)
	token, err := target.acts.EnsureReaderToken(t.Context(), in)
	require.NoError(t, err)
	require.NotContains(t, token.Sealed, "token of")

	_, err = source.acts.EnsureRemoteSecret(t.Context(), api.EnsureRemoteSecretInput{LinkRef: api.LinkRef{ClusterRef: source.ref, Link: link},
		Sealed: token.Sealed, TLSServerName: in.TLSServerName})
	require.NoError(t, err)
	s, err := source.Client.CoreV1().Secrets("istio-system").Get(t.Context(), fleet.RemoteSecret("west"), metav1.GetOptions{})
	require.NoError(t, err)
	cfg, err := clientcmd.RESTConfigFromKubeConfig(s.Data["west"])
	require.NoError(t, err)
	require.Equal(t, target.tokenOf(fleet.ReaderToken("east", 1)), cfg.BearerToken)
	require.Equal(t, target.server.CA(), cfg.CAData)
}

func TestReaderToken_ServerNameThatTheCertificateLacks_EndsBeforeAnythingIsSealed(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.readerToken(fleet.Link{From: "east", To: "west"})
	in.TLSServerName = "api.elsewhere.test"
	got, err := w.acts.EnsureReaderToken(t.Context(), in)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "the API server's certificate is not for api.elsewhere.test; it is for example.com")
	require.Empty(t, got.Sealed)
}

func TestRemoteSecret_SealedToAnotherKey_SaysToRollOutAgain(t *testing.T) {
	w, other := newWorld(t, "east").withInventory(), newWorld(t, "north").withInventory()
	in := other.remoteSecret(fleet.Link{From: "east", To: "west"})
	in.ClusterRef = w.ref
	_, err := w.acts.EnsureRemoteSecret(t.Context(), in)
	require.ErrorContains(t, err, "is gone or broken; roll out again")
	w.recipient()
	_, err = w.acts.EnsureRemoteSecret(t.Context(), in)
	require.ErrorContains(t, err, "was not sealed to this cluster's key; roll out again")
}

func TestRemoteSecret_DryRun_TellsOneThatExists(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	in := w.remoteSecret(fleet.Link{From: "east", To: "west"})
	_, err := w.acts.EnsureRemoteSecret(t.Context(), in)
	require.NoError(t, err)
	in.DryRun, in.Sealed = true, ""
	changes, err := w.acts.EnsureRemoteSecret(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"keep Secret istio-system/istio-remote-secret-west"}, actions(changes.All()))
}

// A dry run has no token to compare with, but the API server notes who set which key.
func TestRemoteSecret_DryRun_TellsWhatSomebodyDidToOne(t *testing.T) {
	for name, c := range map[string]struct {
		by     string
		change func(data map[string]any)
		want   string
	}{
		"added":    {"kubectl-edit", func(d map[string]any) { d["evil"] = "eA==" }, "data.evil"},
		"changed":  {"kubectl-edit", func(d map[string]any) { d["west"] = "eA==" }, "data.west"},
		"removed":  {"kubectl-edit", func(d map[string]any) { delete(d, "west"); d["a"] = "eA==" }, "data.west"},
		"put back": {"velero-server", func(map[string]any) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east").withInventory()
			in := w.remoteSecret(fleet.Link{From: "east", To: "west"})
			_, err := w.acts.EnsureRemoteSecret(t.Context(), in)
			require.NoError(t, err)
			live, err := w.Cluster.Get(t.Context(), kinds.Secrets, in.Namespace, fleet.RemoteSecret("west"))
			require.NoError(t, err)
			c.change(live.Object["data"].(map[string]any))
			if c.want == "" { // from a backup: a new object, whose fields are all of who put it back
				live.SetManagedFields(nil)
				require.NoError(t, w.Cluster.In(kinds.Secrets, in.Namespace).Delete(t.Context(), live.GetName(), metav1.DeleteOptions{}))
				live.SetResourceVersion("")
				_, err = w.Cluster.In(kinds.Secrets, in.Namespace).Create(t.Context(), live, metav1.CreateOptions{FieldManager: c.by})
			} else {
				_, err = w.Cluster.In(kinds.Secrets, in.Namespace).Update(t.Context(), live, metav1.UpdateOptions{FieldManager: c.by})
			}
			require.NoError(t, err)
			in.DryRun, in.Sealed = true, ""
			changes, err := w.acts.EnsureRemoteSecret(t.Context(), in)
			require.NoError(t, err)
			ch := changes.All()[0]
			require.Equal(t, c.want != "", ch.Drift)
			require.Equal(t, c.want, ch.Note)
			if c.want != "" {
				require.Equal(t, c.by, ch.ChangedBy.With)
			}
		})
	}
}
