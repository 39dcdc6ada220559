package activities

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
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
	w.ref.Run = "run-2"
	bridged := []string{"create ClusterRoleBinding /landbridge-reader-east-meanwhile", "update ClusterRoleBinding /landbridge-reader-east", "remove ClusterRoleBinding /landbridge-reader-east-meanwhile"}
	const at = " istio-system/landbridge-reader-east"
	require.Equal(t, slices.Concat([]string{"keep ServiceAccount" + at, "create ClusterRole /landbridge-reader-east", "create Role" + at, "create RoleBinding" + at}, bridged),
		actions(w.ensureReader(link, false)), "at no moment has the account less than one of the two")
	require.Equal(t, fleet.Reader(link.From), w.readerBinding(link.From).RoleRef.Name)
	require.Equal(t, slices.Concat([]string{"keep ServiceAccount" + at}, bridged, []string{"remove ClusterRole /landbridge-reader-east", "remove RoleBinding" + at, "remove Role" + at}),
		actions(w.ensureReader(link, true)))
	require.Equal(t, "istio-reader-clusterrole-istio-system", w.readerBinding(link.From).RoleRef.Name)
	_, err := w.Client.RbacV1().ClusterRoles().Get(t.Context(), fleet.Reader(link.From), metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "a role that nobody uses")
	w.ref.Run = "run-3"
	require.Empty(t, written(w.ensureReader(link, true)), "a repetition changes nothing")
}

// Where Istio is updated by revisions, those who read a cluster get the next revision's role
// before that of the last one goes, and only they.
func TestBindReaders_ToTheRoleOfTheNextRevision(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.ensureReader(toWest[0], true)
	w.ensureReader(toWest[1], false)
	before := w.readerBinding(toWest[0].From)
	in := api.BindReadersInput{ClusterRef: w.ref, Revision: "default-v1-31-3"}
	in.Run = "run-2"
	done, err := w.acts.BindReaders(t.Context(), in)
	require.NoError(t, err)
	told := []string{}
	for _, c := range done.All() {
		told = append(told, string(c.Action)+" "+c.Name)
	}
	require.Equal(t, []string{"create landbridge-reader-east-meanwhile", "update landbridge-reader-east", "remove landbridge-reader-east-meanwhile"}, told, "at no moment has the account no role")
	after := w.readerBinding(toWest[0].From)
	require.Equal(t, "istio-reader-clusterrole-default-v1-31-3-istio-system", after.RoleRef.Name)
	require.Equal(t, before.Labels, after.Labels)
	require.Equal(t, before.Annotations[fleet.AnnotationRun], after.Annotations[fleet.AnnotationRun], "an undo of the later run leaves it")
	require.Equal(t, before.Subjects, after.Subjects)
	require.Equal(t, fleet.Reader(toWest[1].From), w.readerBinding(toWest[1].From).RoleRef.Name, "a role of its own")

	again, err := w.acts.BindReaders(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, again.All())

	left := after.DeepCopy() // by a try that died
	left.Name, left.ResourceVersion, left.UID = after.Name+meanwhile, "", ""
	_, err = w.Client.RbacV1().ClusterRoleBindings().Create(t.Context(), left, metav1.CreateOptions{})
	require.NoError(t, err)
	again, err = w.acts.BindReaders(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, again.All(), 1)
	require.Equal(t, left.Name, again.All()[0].Name)

	w.ref.Run = "run-3"
	linked, err := w.acts.EnsureReader(t.Context(), api.EnsureReaderInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: toWest[0]}, ReadsSecrets: true, Revision: "default-v1-31-3"})
	require.NoError(t, err)
	require.Empty(t, written(linked.All()), "the link finds what it wants")
}

// What an administrator gives a reader is found and left, and nothing else of a person's is.
func TestReader_WhoseRoleAnAdministratorMade_GetsNoOther(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	n := rights.Needs{Namespace: "istio-system"}
	for _, obj := range rights.ByAdministrator(n, "west-network", []rights.Source{{Name: "east"}, {Name: "north", ReadsSecrets: true}}) {
		w.Put(obj.(runtime.Object))
	}
	before := w.snapshot()
	changes := append(w.ensureReader(toWest[0], false), w.ensureReader(toWest[1], true)...)
	require.Equal(t, []string{"create ServiceAccount istio-system/landbridge-reader-east", "keep ClusterRole /landbridge-reader-east",
		"create Role istio-system/landbridge-reader-east", "create RoleBinding istio-system/landbridge-reader-east", "keep ClusterRoleBinding /landbridge-reader-east",
		"create ServiceAccount istio-system/landbridge-reader-north", "keep ClusterRoleBinding /landbridge-reader-north"}, actions(changes))
	_, err := w.acts.BindReaders(t.Context(), api.BindReadersInput{ClusterRef: w.ref, Revision: "canary"})
	require.NoError(t, err)
	_, err = w.acts.RemoveReader(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, before, w.snapshot())

	role, err := w.Client.RbacV1().ClusterRoles().Get(t.Context(), "landbridge-reader-east", metav1.GetOptions{})
	require.NoError(t, err)
	role.Rules = role.Rules[1:]
	w.Put(role)
	binding := w.readerBinding("north")
	binding.RoleRef.Name = "istio-reader-clusterrole-canary-istio-system"
	w.Put(binding)
	for i, named := range []string{"ClusterRole landbridge-reader-east", "ClusterRoleBinding landbridge-reader-north"} {
		_, err := w.acts.EnsureReader(t.Context(), api.EnsureReaderInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: toWest[i]}, ReadsSecrets: i == 1, Revision: "default"})
		var dead *kube.DeadEndError
		require.ErrorAs(t, err, &dead)
		require.ErrorContains(t, err, named+" was not made by Landbridge and does not give the reader what it needs; replace it by what `landbridge rbac --namespaced` prints")
	}
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
