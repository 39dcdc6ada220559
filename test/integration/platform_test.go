package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/landbridge/landbridge/test/lab"
)

var serviceVersions = schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "clusterserviceversions"}

// A platform puts objects into every namespace and makes them again where they are
// removed; a kind comes and goes. All that goes with the namespaces. What a person made
// stays, and is named with who wrote it.
func TestPlatform_PutsObjectsIntoEveryNamespace_CleanupLeavesNothing(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	same := w.unchanged("east", "west")
	w.behave("--platform", strings.Join([]string{lab.PlatformCopies, lab.PlatformPolicies, lab.PlatformInventions, lab.PlatformFlicker}, ","))
	copied := func(namespace string) error {
		_, err := east.dyn.Resource(serviceVersions).Namespace(namespace).Get(ctx, "everywhere.v1.2.3", metav1.GetOptions{})
		return err
	}
	require.Eventually(t, func() bool { return copied("default") == nil }, patience, pause)
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	for _, ns := range []string{"istio-system", "istio-cni", "landbridge-system"} {
		require.Eventually(t, func() bool { return copied(ns) == nil }, patience, pause, ns)
		// Whoever moves it away meets it again.
		require.NoError(t, east.dyn.Resource(serviceVersions).Namespace(ns).Delete(ctx, "everywhere.v1.2.3", metav1.DeleteOptions{}))
		require.Eventually(t, func() bool { return copied(ns) == nil }, patience, pause, ns)
	}

	_, err := east.CoreV1().ConfigMaps("istio-system").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "of-a-person"}, Data: map[string]string{"a": "b"}}, metav1.CreateOptions{FieldManager: "kubectl-create"})
	require.NoError(t, err)
	out, code := w.try("cleanup", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "it holds what Landbridge did not make: ConfigMap/of-a-person (written by kubectl-create); move that away")
	require.NoError(t, east.CoreV1().ConfigMaps("istio-system").Delete(ctx, "of-a-person", metav1.DeleteOptions{}))
	w.must("cleanup", "-f", file)
	for _, ns := range []string{"istio-system", "istio-cni", "landbridge-system"} {
		_, err := east.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), "%s: %v", ns, err)
	}
	w.behave()
	require.Eventually(t, func() bool { return apierrors.IsNotFound(copied("default")) }, patience, pause)
	same()
}

// An API that nobody answers for keeps every namespace: a person reads Kubernetes' own
// words, and the cleanup ends when that API is gone.
func TestPlatform_AnAPIWithoutABackend_IsNamedByTheNamespacesOwnCondition(t *testing.T) {
	w := newWorld(t)
	east := w.connect("east")
	same := w.unchanged("east")
	file := w.file([]string{"east"}, "stepTimeout: 2m", "stepTimeout: 30s")
	w.must("rollout", "-f", file)
	w.behave("--platform", lab.PlatformStaleAPI)
	require.Eventually(t, func() bool {
		_, err := east.ServerPreferredNamespacedResources()
		return err != nil
	}, patience, pause)
	started := time.Now()
	out, code := w.try("cleanup", "-f", file)
	t.Logf("the cleanup ended after %s", time.Since(started).Round(time.Second))
	require.Equal(t, 3, code, out)
	_, last, _ := strings.Cut(out, "landbridge: ")
	require.Contains(t, last, "Namespaces istio-system and istio-cni are still being deleted: NamespaceDeletionDiscoveryFailure: Discovery failed for some groups, 1 failing:")
	require.Contains(t, last, "custom.metrics.k8s.io/v1beta1")
	require.Contains(t, last, "kubectl get apiservices")
	require.NotContains(t, last, "held by")
	require.NotContains(t, last, "did not end within")
	w.behave()
	require.Eventually(t, func() bool {
		_, err := east.ServerPreferredNamespacedResources()
		return err == nil
	}, patience, pause)
	w.must("cleanup", "-f", file)
	same()
}
