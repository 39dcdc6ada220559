package activities

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestReader_OfEachSource_HasItsOwnAccountAndNoSecrets(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	for _, l := range toWest {
		w.ensureReader(l, false)
	}
	for _, l := range toWest {
		role, err := w.Client.RbacV1().ClusterRoles().Get(t.Context(), fleet.Reader(l.From), metav1.GetOptions{})
		require.NoError(t, err)
		for _, rule := range role.Rules {
			require.NotContains(t, append(slices.Clone(rule.Resources), rule.APIGroups...), "*", "a kind that comes later is not read")
			require.NotContains(t, rule.Resources, "secrets")
			require.Subset(t, []string{"get", "list", "watch"}, rule.Verbs)
		}
		binding := w.readerBinding(l.From)
		require.Equal(t, fleet.Reader(l.From), binding.RoleRef.Name)
		require.Equal(t, []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "istio-system", Name: fleet.Reader(l.From)}}, binding.Subjects)
	}
}

func TestReader_OfAnIstiodThatNeedsSecrets_HasIstiosRole_AndGivesItBack(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	link := toWest[0]
	w.ensureReader(link, true)
	require.Equal(t, "istio-reader-clusterrole-istio-system", w.readerBinding(link.From).RoleRef.Name)
	w.ensureReader(link, false)
	require.Equal(t, fleet.Reader(link.From), w.readerBinding(link.From).RoleRef.Name)
	w.ensureReader(link, true)
	require.Equal(t, "istio-reader-clusterrole-istio-system", w.readerBinding(link.From).RoleRef.Name)
	_, err := w.Client.RbacV1().ClusterRoles().Get(t.Context(), fleet.Reader(link.From), metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "a role that nobody uses")
	w.ref.Run = "run-2"
	require.Empty(t, written(w.ensureReader(link, true)), "a repetition changes nothing")
}

func (w *world) ensureReader(l fleet.Link, readsSecrets bool) []fleet.Change {
	w.t.Helper()
	done, err := w.acts.EnsureReader(w.t.Context(), api.EnsureReaderInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, ReadsSecrets: readsSecrets, Revision: "default"})
	require.NoError(w.t, err)
	return done.All()
}

func (w *world) readerBinding(source string) *rbacv1.ClusterRoleBinding {
	w.t.Helper()
	b, err := w.Client.RbacV1().ClusterRoleBindings().Get(w.t.Context(), fleet.Reader(source), metav1.GetOptions{})
	require.NoError(w.t, err)
	return b
}

func written(all []fleet.Change) (out []fleet.Change) {
	for _, c := range all {
		if c.Action != fleet.Keep {
			out = append(out, c)
		}
	}
	return out
}
