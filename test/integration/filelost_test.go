package integration

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
)

// A cleanup needs no more than a worker that reaches the clusters, the fleet's name and
// one of its clusters.
func TestCleanup_FleetFileTemporalAndRootLost_TheClustersRememberTheRest(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(clusters...)
	before := w.snapshot("west")
	file := w.file(clusters)
	w.must("rollout", "-f", file)
	// A person's object, and one with another fleet's label.
	c := w.connect("west")
	_, err := c.CoreV1().ConfigMaps("istio-system").Create(context.Background(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a-persons"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.CoreV1().Secrets("istio-system").Create(context.Background(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "another-fleets", Labels: map[string]string{"landbridge.dev/fleet": "other"}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	w.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "temporal")))
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "roots")))
	w.start()

	known := []string{"cleanup", "test", "--cluster", "east=east.kubeconfig#"}
	out, code := w.try("cleanup", "nobodys", "--cluster", "east=east.kubeconfig#")
	require.Equal(t, 3, code)
	require.Contains(t, out, "belongs to the fleet test")

	var would api.CleanupResult
	full := w.versions("east")
	asJSON, err := w.command(ctx, append(known, "--dry-run", "-o", "json")...).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(asJSON, &would))
	require.Equal(t, full, w.versions("east"), "a dry run changes nothing")
	require.ElementsMatch(t, clusters, would.Clusters)
	require.Len(t, would.Objects, would.Removed)
	require.Contains(t, would.Objects, api.ClusterObject{Cluster: "north", Kind: "Secret", Namespace: "istio-system", Name: "cacerts"})
	for _, o := range would.Objects {
		require.NotContains(t, []string{"a-persons", "another-fleets"}, o.Name)
	}
	require.Contains(t, w.must(append(known, "--dry-run")...), "CLUSTER")

	out, code = w.try(known...)
	require.Equal(t, 3, code, "the namespace stays, and the cleanup says so")
	require.Contains(t, out, "a-persons")
	require.Contains(t, out, "istio-system")
	after := w.snapshot("west")
	require.Contains(t, after, "ConfigMap istio-system/a-persons")
	require.Contains(t, after, "Secret istio-system/another-fleets")
	for key := range after {
		_, was := before[key]
		require.True(t, was || strings.Contains(key, "istio-system") || strings.Contains(key, "landbridge-system"), "%s is left", key)
	}

	require.NoError(t, c.CoreV1().ConfigMaps("istio-system").Delete(context.Background(), "a-persons", metav1.DeleteOptions{}))
	require.NoError(t, c.CoreV1().Secrets("istio-system").Delete(context.Background(), "another-fleets", metav1.DeleteOptions{}))
	// East is clean and remembers nothing any more; the error named west.
	w.must("cleanup", "test", "--cluster", "west=west.kubeconfig#")
	same()
}
