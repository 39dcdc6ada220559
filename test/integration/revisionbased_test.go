package integration

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shopper is a pod of somebody's that an istiod of the revision REVISION injected.
const shopper = `apiVersion: v1
kind: Pod
metadata:
  name: shopper
  namespace: shop
  labels: {istio.io/rev: REVISION}
  annotations: {sidecar.istio.io/status: '{"revision":"REVISION"}'}
spec: {containers: [{name: shopper, image: registry.example.com/shopper:1}]}
`

// An istiod of the next version comes beside the one before, what is the fleet's moves to it,
// and the old one goes where nobody uses it. Who reads a cluster never has a role that is gone.
func TestRevisionBased_TheNextVersionComesBesideTheOneBefore(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(both...)
	const old, next = "default-v1-30-7", "default-v1-31-3"
	w.must("rollout", "-f", w.istioFile("v1.30.7, updateStrategy: RevisionBased"))
	w.requireRevision(old)
	require.NoError(t, w.apply("east", []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")))
	require.NoError(t, w.apply("east", []byte(strings.ReplaceAll(shopper, "REVISION", old))))

	file := w.istioFile("v1.31.3, updateStrategy: RevisionBased")
	bound := w.readersHaveRoles(t)
	w.must("rollout", "-f", file)
	w.requireRevision(next)
	w.untilRevisions("west", next)
	require.NoError(t, bound())
	w.untilRevisions("east", old, next)
	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.requireRemoteSecret("east", "west")

	out, code := w.try("cleanup", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "namespace shop of east (1 pod)", "its istiod, of the old revision, would go")
	require.NoError(t, w.connect("east").CoreV1().Namespaces().Delete(ctx, "shop", metav1.DeleteOptions{}))
	w.untilRevisions("east", next)

	// The way back, on a fleet that runs.
	bound = w.readersHaveRoles(t)
	w.must("rollout", "-f", w.istioFile("v1.31.3"))
	w.requireRevision("default")
	for _, c := range both {
		w.untilRevisions(c, "default")
	}
	require.NoError(t, bound())
	w.must("cleanup", "-f", file)
	same()
}

// requireRevision requires that all that is the fleet's is of a revision of Istio.
func (w *world) requireRevision(revision string) {
	w.t.Helper()
	label, role := revision, "istio-reader-clusterrole-"+revision+"-istio-system"
	if revision == "default" {
		label, role = "", "istio-reader-clusterrole-istio-system"
	}
	for i, c := range both {
		other := both[1-i]
		for _, gateway := range []string{"istio-eastwestgateway", "kube-apiserver-" + other + "-egress-gateway"} {
			require.Equal(w.t, label, w.deployment(c, gateway).Spec.Template.Labels["istio.io/rev"], "%s of %s", gateway, c)
		}
		binding, err := w.connect(c).RbacV1().ClusterRoleBindings().Get(ctx, "landbridge-reader-"+other, metav1.GetOptions{})
		require.NoError(w.t, err)
		require.Equal(w.t, role, binding.RoleRef.Name, c)
	}
}

// untilRevisions waits until a cluster has these revisions of Istio.
func (w *world) untilRevisions(cluster string, want ...string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		list, err := w.connect(cluster).dyn.Resource(revisions).List(ctx, metav1.ListOptions{})
		var have []string
		for _, r := range list.Items {
			have = append(have, r.GetName())
		}
		return err == nil && strings.Join(have, " ") == strings.Join(want, " ")
	}, patience, pause/2, "%s: %v", cluster, want)
}

// readersHaveRoles looks all the time, until the returned function is called, whether the
// accounts that read a cluster are bound to a role that is there, and tells where one was not.
func (w *world) readersHaveRoles(t *testing.T) (bound func() error) {
	stop, found := make(chan struct{}), make(chan error, 1)
	look := func() error {
		for i, c := range both {
			rbac := w.connect(c).RbacV1()
			binding, err := rbac.ClusterRoleBindings().Get(ctx, "landbridge-reader-"+both[1-i], metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				continue // made anew a moment later
			}
			if err == nil {
				_, err = rbac.ClusterRoles().Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	go func() {
		for {
			select {
			case <-stop:
				found <- nil
				return
			case <-time.After(pause / 10):
			}
			if err := look(); err != nil {
				found <- err
				return
			}
		}
	}()
	return func() error { close(stop); return <-found }
}

// besideTheOld moves the fleet to an istiod that comes beside the old one, which the apps keep,
// and back, under requests through the tunnel and calls of one app by another.
func (r *real) besideTheOld() {
	requests, calls := r.pace("east", "west"), r.apps()
	before, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	r.edit("spec:\n", "spec:\n  istio: {version: v1.31.3, updateStrategy: RevisionBased}\n")
	r.rollout()
	r.allProven()
	r.requireRevision("default-v1-31-3")
	r.untilRevisions("east", "default", "default-v1-31-3") // the apps keep the old one
	r.untilRevisions("north", "default-v1-31-3")
	require.NoError(r.t, os.WriteFile(r.fleet, before, 0o600))
	r.rollout()
	r.allProven()
	r.requireRevision("default")
	calls(2 * maxMoments)                 // one for each gateway's pod that ends under a call
	r.fewFailed(requests(), 2*maxMoments) // each of the two pods of both gateways ends twice
	for _, c := range clusters {
		r.untilRevisions(c, "default")
	}
}
