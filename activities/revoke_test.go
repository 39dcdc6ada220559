package activities

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// letIn lets a source read the world's cluster, as a rollout of the link does.
func (w *world) letIn(source string) (revoke api.RevokeLinkInput, token string) {
	w.t.Helper()
	link := fleet.Link{From: source, To: w.ref.Cluster}
	_, err := w.acts.EnsureAccess(w.t.Context(), api.EnsureAccessInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: link}, APIPort: 16443, TrustDomain: "cluster.local", SourceNamespace: "istio-system"})
	require.NoError(w.t, err)
	_, err = w.acts.EnsureReaderToken(w.t.Context(), w.readerToken(link))
	require.NoError(w.t, err)
	return api.RevokeLinkInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: link}}, w.tokenOf(fleet.ReaderToken(source, 1))
}

func (w *world) accepts(token string) bool {
	w.t.Helper()
	c, err := w.acts.open(w.t.Context(), w.ref)
	require.NoError(w.t, err)
	yes, err := c.Accepts(w.t.Context(), []byte(token))
	require.NoError(w.t, err)
	return yes
}

// The source is shut out, whatever the API server remembers for a while, and no other one.
func TestRevoke_TheTokenIsRefusedFromThenOn_AndNoOther(t *testing.T) {
	for _, remembers := range []time.Duration{0, 1500 * time.Millisecond} {
		w := newWorld(t, "west").withInventory()
		w.server.Remembers = remembers
		in, token := w.letIn("east")
		_, other := w.letIn("north")
		require.True(t, w.accepts(token))

		got, err := w.acts.RevokeLink(t.Context(), in)
		require.NoError(t, err)
		require.True(t, got.Refused, got.Note)
		require.GreaterOrEqual(t, got.After, remembers)
		require.Len(t, got.All(), 2, "the policy and the Secret")
		require.False(t, w.accepts(token))
		require.True(t, w.accepts(other), "another source is not touched")
		_, err = w.Get(t.Context(), kinds.AuthorizationPolicies, "istio-system", accessPrefix+"east")
		require.True(t, apierrors.IsNotFound(err))
		_, err = w.Get(t.Context(), kinds.AuthorizationPolicies, "istio-system", accessPrefix+"north")
		require.NoError(t, err)
		result, err := json.Marshal(got)
		require.NoError(t, err)
		require.NotContains(t, string(result), token, "no token crosses the boundary")

		got, err = w.acts.RevokeLink(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, api.RevokeLinkResult{Note: "there was no token of the source"}, got, "once more changes nothing")
	}
}

func TestRevoke_DryRun_ListsAndChangesNothing(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in, token := w.letIn("east")
	in.DryRun = true
	got, err := w.acts.RevokeLink(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, got.All(), 2)
	require.True(t, w.accepts(token))
}

// A kubeconfig may lead through a front that knows no tokens of the cluster. The Secret goes
// all the same, and the result says that nobody saw the refusal.
func TestRevoke_TheTokenWasNotAcceptedBefore_SaysSo(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in, _ := w.letIn("east")
	s, err := w.Client.CoreV1().Secrets("istio-system").Get(t.Context(), fleet.ReaderToken("east", 1), metav1.GetOptions{})
	require.NoError(t, err)
	s.Type = corev1.SecretTypeOpaque // for the test's API server it is no token then
	w.Put(s)
	got, err := w.acts.RevokeLink(t.Context(), in)
	require.NoError(t, err)
	require.False(t, got.Refused)
	require.Contains(t, got.Note, "did not accept the token before either")
	require.Len(t, got.All(), 2)
}

func TestRevoke_TheTokenIsStillAccepted_IsAnError(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.server.Remembers = time.Hour
	_, token := w.letIn("east")
	require.True(t, w.accepts(token))
	c, err := w.acts.open(w.t.Context(), w.ref)
	require.NoError(t, err)
	require.NoError(t, w.Client.CoreV1().Secrets("istio-system").Delete(t.Context(), fleet.ReaderToken("east", 1), metav1.DeleteOptions{}))
	err = untilRefused(t.Context(), c, [][]byte{[]byte(token)}, 300*time.Millisecond)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "still accepts the token")
	require.NotContains(t, err.Error(), token)
}
