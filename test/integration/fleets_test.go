package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/resource"
)

// fleets is the namespace fleets of the management cluster, which is east, with the Fleet test.
type fleets struct {
	*world
	objects dynamic.ResourceInterface
	// account is the kubeconfig of the worker there.
	account string
}

// withFleets makes the definition of Fleets that the command prints, and starts a worker with an
// account that has no more there than the role that the command prints.
func withFleets(t *testing.T) *fleets {
	w := newWorld(t)
	m := w.management("east")
	m.has("{apiVersion: v1, kind: Namespace, metadata: {name: fleets}}")
	m.has("%s", w.must("schema", "crd"))
	dir := t.TempDir()
	w.grants(t, dir, "east", "--management", "fleets", "--fleets")
	w.stop()
	f := &fleets{w, m.dynamic.Resource(kinds.Fleets.GroupVersionResource).Namespace("fleets"), filepath.Join(dir, "east.kubeconfig")}
	f.watch()
	t.Cleanup(func() { // after a failure nobody cleans up, and the finalizer would keep the definition
		_, _ = f.objects.Patch(context.WithoutCancel(ctx), "test", types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
	})
	return f
}

func (f *fleets) watch() {
	f.startWith("--kubeconfig-dir", f.lab.Dir, "--management-kubeconfig", f.account, "--watch-fleets", "fleets")
}

// write makes the Fleet, or changes its spec, as a tool does that applies it from Git. It returns
// the generation.
func (f *fleets) write(edit ...string) int64 {
	f.t.Helper()
	file := f.file([]string{"east", "west"}, edit...)
	data, err := os.ReadFile(file)
	require.NoError(f.t, err)
	var u unstructured.Unstructured
	require.NoError(f.t, yaml.Unmarshal(data, &u.Object))
	u.SetNamespace("fleets")
	out, err := f.objects.Apply(ctx, "test", &u, metav1.ApplyOptions{FieldManager: "git", Force: true})
	require.NoError(f.t, err)
	return out.GetGeneration()
}

func (f *fleets) annotate(key, value string) {
	f.t.Helper()
	_, err := f.objects.Patch(ctx, "test", types.MergePatchType, fmt.Appendf(nil, `{"metadata": {"annotations": {%q: %q}}}`, key, value), metav1.PatchOptions{})
	require.NoError(f.t, err)
}

// until waits until the Fleet's status is as the test wants it, and returns it.
func (f *fleets) until(what string, want func(resource.Status) bool) (s resource.Status) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		u, err := f.objects.Get(ctx, "test", metav1.GetOptions{})
		if err != nil {
			return false
		}
		s = resource.Status{}
		status, _ := u.Object["status"].(map[string]any)
		require.NoError(f.t, runtime.DefaultUnstructuredConverter.FromUnstructured(status, &s))
		return want(s)
	}, patience, pause/4, "%s; the status is %+v", what, &s)
	return s
}

// rolledOut waits until a generation is rolled out.
func (f *fleets) rolledOut(generation int64) resource.Status {
	f.t.Helper()
	return f.until("a rollout", func(s resource.Status) bool {
		c := meta.FindStatusCondition(s.Conditions, resource.Ready)
		return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation && s.Run.Generation == generation
	})
}

func (f *fleets) deleted() {
	f.t.Helper()
	require.NoError(f.t, f.objects.Delete(ctx, "test", metav1.DeleteOptions{}))
}

func (f *fleets) requireGone() {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		_, err := f.objects.Get(ctx, "test", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, pause/4, "the Fleet stays")
}

// A Fleet in a management cluster, edited as from Git, with a worker that is killed in the middle and
// that may do no more there than its role says.
func TestFleets_EditedFromGit_AreRolledOutApprovedAndCleanedUp(t *testing.T) {
	f := withFleets(t)
	same := f.unchanged("east", "west")
	const prune, waves = "  reconcile: {prune: true}\n  links: ", "stepTimeout: 2m, approval: waves, waves: [{clusters: [east]}, {name: late, clusters: [west]}]"
	f.rolledOut(f.write("  links: ", prune))
	f.requireRemoteSecret("east", "west")
	f.requireRemoteSecret("west", "east")

	// Two rapid edits, and the worker dies over them: what was written last is rolled out.
	f.behave("--sail-delay", "5s")
	f.write("  links: ", prune, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, dataPlaneHosts: [a.example.com]")
	last := f.write("  links: ", prune, "mesh", "[{from: east, to: west}]")
	f.until("the first edit is at work", func(s resource.Status) bool { return s.Run.Generation > 1 })
	f.kill()
	f.behave()
	f.watch()
	s := f.rolledOut(last)
	require.Equal(t, []int{2, 1}, []int{s.Clusters, s.Links})
	_, err := f.connect("west").CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-east", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "the link that left the spec is removed: %v", err)

	// A wave waits, and an annotation approves it.
	last = f.write("  links: ", prune, "stepTimeout: 2m", waves, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, dataPlaneHosts: [b.example.com]")
	s = f.until("a wave waits", func(s resource.Status) bool { return s.Approval != "" })
	require.Equal(t, fmt.Sprintf("%d/late", last), s.Approval)
	require.Equal(t, "Waiting", s.Phase)
	f.annotate(resource.Approve, s.Approval)
	f.rolledOut(last)
	require.Regexp(t, `"what": "approve",[^{}]*"wave": "late",\s+"by": "Fleet fleets/test",\s+"reason": "annotation landbridge.dev/approve"`, f.must("report", "test", "-o", "json"))

	// A mistake is told, and changes nothing.
	f.write("  links: ", prune, "kubeconfig: {path: west.kubeconfig}", "kubeconfig: {path: west.kubeconfig, secret: {namespace: fleets, name: west}}")
	f.until("the mistake is told", func(s resource.Status) bool { return s.Phase == "Invalid" })

	// A deletion waits as long as the fleet is protected, and then cleans up.
	f.rolledOut(f.write("  links: ", prune, "\nspec:\n", "\nspec:\n  protected: true\n"))
	f.deleted()
	f.until("the deletion is held", func(s resource.Status) bool {
		c := meta.FindStatusCondition(s.Conditions, resource.Ready)
		return s.Phase == "Deleting" && c.Reason == resource.Protected
	})
	f.requireRemoteSecret("east", "west")
	f.write("  links: ", prune)
	f.requireGone()
	same()
}

// Without prune the resource is no more than a wish: without it the clusters stay as they are.
func TestFleets_DeletedWithoutPrune_TheClustersStay_AndDriftIsTold(t *testing.T) {
	f := withFleets(t)
	same := f.unchanged("east", "west")
	f.rolledOut(f.write("  links: ", "  reconcile: {checkEvery: 12h}\n  links: "))
	require.NoError(t, f.connect("east").CoreV1().Secrets("istio-system").Delete(ctx, "istio-remote-secret-west", metav1.DeleteOptions{}))
	require.NoError(t, f.client(t).ScheduleClient().GetHandle(ctx, fleet.ScheduleID("test")).Trigger(ctx, client.ScheduleTriggerOptions{}))
	s := f.until("drift is told", func(s resource.Status) bool { return meta.IsStatusConditionTrue(s.Conditions, resource.Drifted) })
	require.Contains(t, meta.FindStatusCondition(s.Conditions, resource.Drifted).Message, "1 changed object")
	f.annotate(resource.RequestedAt, "now")
	f.until("it is rolled out again", func(s resource.Status) bool {
		return s.LastRequestedAt == "now" && meta.IsStatusConditionTrue(s.Conditions, resource.Ready)
	})
	f.requireRemoteSecret("east", "west")

	f.deleted()
	f.requireGone()
	f.requireRemoteSecret("west", "east")
	f.must("cleanup", "test")
	same()
}
