package activities

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
	"github.com/landbridge/landbridge/internal/rights"
)

// looksIntoNamespaces says whether a worker lists what is in a namespace before it deletes
// it, for which the role allows it to list every kind.
func looksIntoNamespaces(r kubetest.Request) bool {
	return r.Verb == "list" && (r.Namespace != "" || r.Resource == "namespaces")
}

// needs has what the clusters of pairs need.
var needs = rights.Needs{Namespace: "istio-system", OwnReaders: true, IstioReaders: true}

// everyRight has every right of a worker.
func everyRight(n rights.Needs) []rights.Right {
	return slices.Concat(rights.For(n), rights.Watches(n))
}

// granted says whether a worker has the right that a request needs, by the list.
func granted(r kubetest.Request) bool { return grantedBy(needs, r) }

func grantedBy(n rights.Needs, r kubetest.Request) bool {
	return slices.ContainsFunc(everyRight(n), func(right rights.Right) bool {
		return right.Group == r.Group && right.Resource.Resource == r.Resource && (right.In == "" || right.In == r.Namespace) && slices.Contains(right.Verbs, r.Verb)
	})
}

// elsewhere has the rights that only other packages use, and which.
var elsewhere = map[string]string{
	"get pods/portforward":          "internal/proof, by WebSocket",
	"create pods/portforward":       "internal/proof, by SPDY",
	"get pods":                      "internal/proof, whose trial waits for a pod",
	"create pods":                   "internal/proof, for its trial",
	"delete pods":                   "internal/proof, after its trial",
	"get customresourcedefinitions": "the preflight, which has tests of its own",
	"get configmaps":                "the preflight reads the root in force",
	"list deployments":              "the preflight looks for any istiod",
}

// TestRights_AreEnoughAndEachIsUsed does all that activities do to clusters, with the
// rights of the list and no other.
func TestRights_AreEnoughAndEachIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			w := p.world(t)
			w.server.Authorize = granted
			if slices.Contains([]string{"Namespaces", "Inventory", "Root"}, p.name) { // these remove namespaces
				w.server.Authorize = func(r kubetest.Request) bool { return granted(r) || looksIntoNamespaces(r) }
			}
			lifeOf(t, p, w)
			for _, r := range w.server.Requests() {
				used[r.Verb+" "+r.Resource+" "+r.Namespace] = true
			}
		})
	}
	w := newWorld(t, "west").withInventory()
	w.server.Authorize = granted
	upgrade(t, w)
	waitsAndLooks(t, w)
	waitsLong(t, w)
	tokens := newRotations(t, 30*day)
	tokens.server.Authorize = granted
	tokens.ensure("run-1", time.Time{})
	for _, r := range slices.Concat(w.server.Requests(), tokens.server.Requests()) {
		used[r.Verb+" "+r.Resource+" "+r.Namespace] = true
	}
	given := slices.Concat(rights.Reader(), rights.ReaderIn("")) // who gives a right to another must have it
	for _, right := range everyRight(needs) {
		for _, verb := range right.Verbs {
			what := verb + " " + right.Resource.Resource
			if elsewhere[what] == "" && !slices.ContainsFunc(given, func(rule rbacv1.PolicyRule) bool {
				return (right.In == "") == (rule.ResourceNames == nil) && rule.APIGroups[0] == right.Group && rule.Resources[0] == right.Resource.Resource && slices.Contains(rule.Verbs, verb)
			}) {
				require.True(t, used[what+" "+right.In], "nothing needs to %s in namespace %q", what, right.In)
			}
		}
	}
}

// Where an administrator made what `landbridge rbac --namespaced` prints, all that activities do
// needs no more than its Roles and its ClusterRole, and leaves what was made as it was.
func TestRights_WhereAnAdministratorMadeTheRest_AreEnough(t *testing.T) {
	n := needs
	n.Made = rights.Made{Namespaces: true, Readers: true}
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			w := newWorld(t, p.cluster)
			for _, obj := range rights.ByAdministrator(n, "west-network", []rights.Source{{Name: "east"}, {Name: "north"}}) {
				w.Put(obj.(runtime.Object))
			}
			before := w.snapshot()
			w.server.Authorize = func(r kubetest.Request) bool { return grantedBy(n, r) }
			if !p.withoutInventory {
				w.withInventory()
			}
			lifeOf(t, p, w)
			after := w.snapshot()
			for name, obj := range before {
				require.Equal(t, obj, after[name])
			}
		})
	}
}

// lifeOf makes a pair's objects, repairs them after somebody changed them, adopts
// what existed, and removes all.
func lifeOf(t *testing.T, p pair, w *world) {
	t.Helper()
	w.ref.ForceConflicts = true
	in := p.input(w, p.link())
	before := w.snapshot()
	_, err := w.call("Ensure"+p.name, in)
	require.NoError(t, err)
	for _, obj := range added(before, w.snapshot()) {
		if applied := obj.GetAnnotations()[fleet.AnnotationApplied] != ""; applied || isHelm(obj) && obj.GetKind() != kinds.Secrets.Kind {
			changed(obj)
			w.Put(obj)
		}
	}
	if p.name == "CACerts" {
		in = p.input(w, p.link())
	}
	_, err = w.call("Ensure"+p.name, in)
	require.NoError(t, err)
	_, err = p.remove(w, "")
	require.NoError(t, err)

	if p.existing == adopted {
		for _, obj := range added(before, w.snapshot()) {
			somebodyElses(obj)
			w.Put(obj)
		}
		_, err = w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		_, err = p.remove(w, "")
		require.NoError(t, err)
	}
}

// changed changes a label of Landbridge's or of the chart's, as somebody might.
func changed(obj *unstructured.Unstructured) {
	labels := obj.GetLabels()
	labels[fleet.LabelComponent] = "changed"
	obj.SetLabels(labels)
}

// upgrade installs a gateway, and changes all of its objects.
func upgrade(t *testing.T, w *world) {
	t.Helper()
	in := w.eastWest()
	for _, network := range []string{"west-network", "other"} {
		in.Network = network
		_, err := w.acts.EnsureEastWestGateway(t.Context(), in)
		require.NoError(t, err)
	}
}

// waitsAndLooks calls what writes nothing, or only the lock.
func waitsAndLooks(t *testing.T, w *world) {
	t.Helper()
	w.sailInstalled()
	_, err := w.acts.WaitIstio(t.Context(), api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
	require.NoError(t, err)
	w.Put(w.service())
	_, err = w.waitAddress(100 * time.Millisecond)
	var never *LoadBalancerError
	require.ErrorAs(t, err, &never)
	w.Put(w.service(corev1.LoadBalancerIngress{IP: "192.0.2.1"}))
	_, err = w.waitAddress(time.Minute)
	require.NoError(t, err)
	w.pod("istiod-1", map[string]string{"app": "istiod"}, 0, "")
	_ = w.gather()
	_, err = w.acts.CheckInventory(t.Context(), api.CheckInventoryInput{ClusterRef: w.ref})
	require.NoError(t, err)
	_, err = w.acts.ReleaseInventory(t.Context(), api.ReleaseInventoryInput{ClusterRef: w.ref})
	require.NoError(t, err)
}

// waitsLong waits for what does not come, until it is watched.
func waitsLong(t *testing.T, w *world) {
	t.Helper()
	c, err := w.acts.open(w.t.Context(), w.ref)
	require.NoError(t, err)
	token := secret("istio-system", "unfilled", corev1.SecretTypeServiceAccountToken, nil)
	w.Put(token)
	untilWatched(t, w, func(ctx context.Context) error {
		_, _, err := waitToken(ctx, c, token)
		return err
	}, "secrets")
	w.sailSays(kinds.IstioCNIs, "ReconcileError", cond("Ready", "False", "ReconcileError", "not yet"))
	untilWatched(t, w, func(ctx context.Context) error {
		_, err := w.acts.WaitIstio(ctx, api.WaitIstioInput{ClusterRef: w.ref, Name: "default"})
		return err
	}, "daemonsets", "deployments", "istios", "istiocnis", "istiorevisions")
}

// untilWatched ends a wait as soon as it watches all of these, however slow the machine is.
func untilWatched(t *testing.T, w *world, wait func(context.Context) error, resources ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	before := len(w.server.Requests())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			watched := map[string]bool{}
			for _, r := range w.server.Requests()[before:] {
				watched[r.Resource] = watched[r.Resource] || r.Verb == "watch"
			}
			if !slices.ContainsFunc(resources, func(r string) bool { return !watched[r] }) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	require.Error(t, wait(ctx))
}
