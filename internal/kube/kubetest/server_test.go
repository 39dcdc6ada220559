package kubetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// open connects to a cluster as a worker does.
func open(t *testing.T, c *kubetest.Cluster) (*kube.Cluster, *kubetest.Server) {
	t.Helper()
	server, dir := kubetest.Listen(t, c), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), server.Kubeconfig(), 0o600))
	out, err := kube.Access{Dirs: []string{dir}}.Open(t.Context(), "west", fleet.Kubeconfig{Path: "k"})
	require.NoError(t, err)
	return out, server
}

func TestServer_RealClients_WorkOnTheFakeCluster(t *testing.T) {
	fake := kubetest.New("west")
	c, server := open(t, fake)
	ctx := t.Context()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s", Labels: map[string]string{"a": "b"}}, Data: map[string][]byte{"k": []byte("v")}}
	made, err := c.Client.CoreV1().Secrets("ns").Create(ctx, secret, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, made.UID)
	_, err = c.Client.CoreV1().Secrets("ns").Create(ctx, secret, metav1.CreateOptions{})
	require.True(t, apierrors.IsAlreadyExists(err), "%v", err)

	list, err := c.Client.CoreV1().Secrets("ns").List(ctx, metav1.ListOptions{LabelSelector: "a=b"})
	require.NoError(t, err)
	require.Equal(t, []byte("v"), list.Items[0].Data["k"])
	list, err = c.Client.CoreV1().Secrets("ns").List(ctx, metav1.ListOptions{LabelSelector: "a=c"})
	require.NoError(t, err)
	require.Empty(t, list.Items)

	w := &kube.Writer{Cluster: c, Owner: kube.Owner{Fleet: "prod"}}
	require.NoError(t, w.Apply(ctx, map[string]any{"apiVersion": "sailoperator.io/v1", "kind": "Istio", "metadata": map[string]any{"name": "default"}, "spec": map[string]any{"version": "v1"}}))
	istio, err := fake.Get(ctx, kinds.Istios, "", "default")
	require.NoError(t, err)
	require.Equal(t, "prod", istio.GetLabels()[fleet.LabelFleet])
	require.NoError(t, w.Remove(ctx, kinds.Istios, "", ""))
	_, err = c.Get(ctx, kinds.Istios, "", "default")
	require.True(t, apierrors.IsNotFound(err), "%v", err)

	wrong := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("another")}
	require.True(t, apierrors.IsConflict(c.Client.CoreV1().Secrets("ns").Delete(ctx, "s", wrong)))
	require.NoError(t, c.Client.CoreV1().Secrets("ns").Delete(ctx, "s", metav1.DeleteOptions{}))
	require.Equal(t, []string{"create secrets s", "create secrets s", "patch istios default", "delete istios default", "delete secrets s", "delete secrets s"}, fake.Writes())

	version, err := c.Discovery.ServerVersion()
	require.NoError(t, err)
	require.Equal(t, kubetest.Version, version.GitVersion)
	require.NoError(t, c.CheckTLS(ctx, kubetest.ServerName, server.CA()))
	unmanaged, err := w.Unmanaged(ctx, "ns")
	require.NoError(t, err)
	require.Empty(t, unmanaged)
}
