package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/test/lab"
)

var cnis = schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istiocnis"}

var revisions = schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istiorevisions"}

// sailCluster applies Sail's resources to a cluster, beside Landbridge.
type sailCluster struct {
	t *testing.T
	connection
}

// apply applies a resource of the Sail operator by server-side apply.
func (c sailCluster) apply(res schema.GroupVersionResource, kind, name, spec string) (*unstructured.Unstructured, error) {
	body := fmt.Sprintf(`{"apiVersion":"sailoperator.io/v1","kind":%q,"metadata":{"name":%q},"spec":%s}`, kind, name, spec)
	force := true
	return c.dyn.Resource(res).Patch(ctx, name, types.ApplyPatchType, []byte(body), metav1.PatchOptions{FieldManager: "somebody", Force: &force})
}

func (c sailCluster) istio(spec string) (*unstructured.Unstructured, error) {
	return c.apply(istios, "Istio", "default", spec)
}

// until polls until a resource is as wanted, and returns it.
func (c sailCluster) until(res schema.GroupVersionResource, name string, wanted func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	c.t.Helper()
	var last *unstructured.Unstructured
	require.Eventually(c.t, func() bool {
		obj, err := c.dyn.Resource(res).Get(ctx, name, metav1.GetOptions{})
		last = obj
		return err == nil && wanted(obj)
	}, patience, 100*time.Millisecond, "%s %s: %v", res.Resource, name, last)
	return last
}

func (c sailCluster) untilGone(res schema.GroupVersionResource, name string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		_, err := c.dyn.Resource(res).Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, 100*time.Millisecond, "%s %s stays", res.Resource, name)
}

// releases lists the revisions of Helm releases in a namespace.
func (c sailCluster) releases(namespace string) (out []string) {
	c.t.Helper()
	list, err := c.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
	require.NoError(c.t, err)
	for _, s := range list.Items {
		out = append(out, strings.TrimPrefix(s.Name, "sh.helm.release.v1."))
	}
	return out
}

func seen(obj *unstructured.Unstructured) bool {
	n, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	return n == obj.GetGeneration()
}

func isHealthy(obj *unstructured.Unstructured) bool {
	state, _, _ := unstructured.NestedString(obj.Object, "status", "state")
	return seen(obj) && state == "Healthy"
}

func conditionOf(obj *unstructured.Unstructured, typ, field string) string {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range list {
		if m, _ := c.(map[string]any); m["type"] == typ {
			s, _ := m[field].(string)
			return s
		}
	}
	return ""
}

const goodIstio = `{"version":"v1.31-latest","namespace":"istio-system"}`

// TestLab_SailIsLikeTheOperator holds the lab's stand-in to what is known of the real
// operator: a stand-in that is nicer hides faults.
func TestLab_SailIsLikeTheOperator(t *testing.T) {
	w := stillWorld(t)
	same := w.unchanged("east")
	c := sailCluster{t, w.connect("east")}
	w.behave("--sail-lag", "1s")
	t.Cleanup(func() { w.behave() })

	for fact, f := range map[string]struct {
		res              schema.GroupVersionResource
		kind, name, spec string
		code             int32
		says             []string
	}{
		"an unknown field is a plain 500":  {istios, "Istio", "x", `{"version":"v1.31.3","namespace":"n","values":{"pilot":{"autoscaleEnbled":false}}}`, 500, []string{"failed to create typed patch object", ".spec.values.pilot.autoscaleEnbled: field not declared in schema"}},
		"so is one of meshConfig":          {istios, "Istio", "x", `{"version":"v1.31.3","namespace":"n","values":{"meshConfig":{"acessLogFile":"x"}}}`, 500, []string{"field not declared in schema"}},
		"environment values are strings":   {istios, "Istio", "x", `{"version":"v1.31.3","namespace":"n","values":{"pilot":{"env":{"A":1}}}}`, 500, []string{"expected string"}},
		"a version that Sail has not":      {istios, "Istio", "x", `{"version":"v9.9.9","namespace":"n"}`, 422, []string{"spec.version: Unsupported value"}},
		"a cluster has one IstioCNI":       {cnis, "IstioCNI", "prod", `{"version":"v1.31.3","namespace":"n"}`, 422, []string{"metadata.name must be 'default'"}},
		"IstioCNI's values are typed, too": {cnis, "IstioCNI", "default", `{"version":"v1.31.3","namespace":"n","values":{"cni":{"chaned":true}}}`, 500, []string{"field not declared in schema"}},
	} {
		_, err := c.apply(f.res, f.kind, f.name, f.spec)
		var status apierrors.APIStatus
		require.ErrorAs(t, err, &status, fact)
		require.Equal(t, f.code, status.Status().Code, "%s: %v", fact, err)
		for _, s := range f.says {
			require.ErrorContains(t, err, s, fact)
		}
	}

	// A version past its end of life is in the enum, and the operator refuses it.
	obj, err := c.istio(`{"version":"v1.24.3","namespace":"istio-system"}`)
	require.NoError(t, err)
	strategy, _, _ := unstructured.NestedString(obj.Object, "spec", "updateStrategy", "type")
	require.Equal(t, "InPlace", strategy, "the default is written into Istio")
	obj = c.until(istios, "default", seen)
	require.Equal(t, "ReconcileError", conditionOf(obj, "Reconciled", "reason"))
	require.Equal(t, `validation error: version "v1.24.3" is end-of-life and cannot be installed`, conditionOf(obj, "Reconciled", "message"))

	// A namespace that is missing, in the revision's words.
	_, err = c.istio(goodIstio)
	require.NoError(t, err)
	c.until(istios, "default", func(o *unstructured.Unstructured) bool {
		return conditionOf(o, "Reconciled", "message") == `error reconciling resource: validation error: namespace "istio-system" doesn't exist`
	})
	c.createNamespace(t, "istio-system", nil)
	obj = c.until(istios, "default", isHealthy)
	require.Empty(t, obj.GetFinalizers(), "Istio has none")
	require.Empty(t, conditionOf(obj, "Ready", "reason"), "a good condition has no reason")
	version, _, _ := unstructured.NestedString(obj.Object, "spec", "version")
	require.Equal(t, "v1.31-latest", version, "the alias stays in Istio")
	rev := c.until(revisions, "default", isHealthy)
	version, _, _ = unstructured.NestedString(rev.Object, "spec", "version")
	require.Equal(t, "v1.31.3", version, "the revision has the real version")
	require.Equal(t, []string{"sailoperator.io/sail-operator"}, rev.GetFinalizers())
	require.Equal(t, obj.GetUID(), metav1.GetControllerOf(rev).UID)
	require.True(t, *metav1.GetControllerOf(rev).BlockOwnerDeletion)
	d, err := c.AppsV1().Deployments("istio-system").Get(ctx, "istiod", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, rev.GetUID(), metav1.GetControllerOf(d).UID)
	require.Equal(t, "default", d.Labels["istio.io/rev"])
	require.Contains(t, d.Spec.Template.Spec.Containers[0].Image, "1.31.3")
	_, err = c.CoreV1().ServiceAccounts("istio-system").Get(ctx, "istio-reader-service-account", metav1.GetOptions{})
	require.NoError(t, err, "the base chart brings the reader")
	require.True(t, slices.ContainsFunc(c.releases("sail-operator"), func(r string) bool { return strings.HasPrefix(r, "default-base.") }))
	_, err = c.istio(`{"version":"v1.31-latest","namespace":"other"}`)
	require.ErrorContains(t, err, "Value is immutable")

	c.afterAnUpdate(w)
	c.atDeletion()
	same()
}

// afterAnUpdate shows that Istio tells of the state before until the operator gets round
// to the revision.
func (c sailCluster) afterAnUpdate(w *world) {
	t := c.t
	before := c.releases("istio-system")
	w.behave("--sail-lag", "1s", "--sail-away", lab.AwayAfterSeeing)
	_, err := c.istio(`{"version":"v1.30.7","namespace":"istio-system"}`)
	require.NoError(t, err)
	obj := c.until(istios, "default", seen)
	require.True(t, isHealthy(obj), "that is of the state before")
	require.Equal(t, "True", conditionOf(obj, "Ready", "status"))
	time.Sleep(2 * time.Second)
	rev := c.until(revisions, "default", func(o *unstructured.Unstructured) bool { return !seen(o) })
	version, _, _ := unstructured.NestedString(rev.Object, "spec", "version")
	require.Equal(t, "v1.30.7", version)
	d, err := c.AppsV1().Deployments("sail-operator").Get(ctx, "sail-operator", metav1.GetOptions{})
	require.NoError(t, err)
	require.Zero(t, *d.Spec.Replicas)
	w.behave("--sail-lag", "1s")
	c.until(revisions, "default", isHealthy)
	require.NotEqual(t, before, c.releases("istio-system"), "a release gets a new revision")
}

// atDeletion shows that in the background Istio goes at once, and all else later.
func (c sailCluster) atDeletion() {
	t := c.t
	background := metav1.DeletePropagationBackground
	require.NoError(t, c.dyn.Resource(istios).Delete(ctx, "default", metav1.DeleteOptions{PropagationPolicy: &background}))
	c.untilGone(istios, "default")
	_, err := c.dyn.Resource(revisions).Get(ctx, "default", metav1.GetOptions{})
	require.NoError(t, err, "the revision goes seconds later")
	require.NotEmpty(t, c.releases("istio-system"))
	c.untilGone(revisions, "default")
	require.Empty(t, c.releases("istio-system"))
	require.Empty(t, c.releases("sail-operator"))
	c.deleteNamespace(t, "istio-system")
}
