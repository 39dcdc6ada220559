package integration

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
)

var ctx = context.Background()

func TestMesh_RolledOutRepeatedAndCleanedUp_LeavesNothing(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"}, "{path: west.kubeconfig}", "{path: west.kubeconfig}, gateways: {egress: {replicas: 1, priorityClassName: system-cluster-critical}}")

	plan := w.must("plan", "-f", file)
	require.Contains(t, plan, "create  Secret istio-system/istio-remote-secret-west")
	require.Contains(t, plan, "create  PodDisruptionBudget istio-system/istio-eastwestgateway")
	same() // a plan writes nothing

	out := w.atMost(rolloutOfTwo, []string{"east", "west"}, "rollout", "-f", file)
	require.Contains(t, out, "2 clusters and 2 links rolled out")
	for source, target := range map[string]string{"east": "west", "west": "east"} {
		w.requireRemoteSecret(source, target)
	}
	w.requirePods("east", "istio-eastwestgateway", 2)
	w.requirePods("east", "kube-apiserver-west-egress-gateway", 2)
	w.requirePods("west", "istio-eastwestgateway", 2)
	w.requirePods("west", "kube-apiserver-east-egress-gateway", 1)
	require.Contains(t, w.must("status", "-f", file), "rollout done")
	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")

	// A repeated rollout writes nothing, and changes no resource version.
	before, lines := map[string]map[string]string{}, map[string]int{}
	for _, c := range []string{"east", "west"} {
		before[c] = w.versions(c)
		_, lines[c] = w.requests(c, 0)
	}
	w.atMost(repetitionOfTwo, []string{"east", "west"}, "rollout", "-f", file)
	for _, c := range []string{"east", "west"} {
		counts, _ := w.requests(c, lines[c])
		require.NotEmpty(t, counts)
		require.Empty(t, writes(counts), c)
		require.Equal(t, before[c], w.versions(c), c)
	}

	require.Regexp(t, `would remove \d\d objects`, w.must("cleanup", "-f", file, "--dry-run"))
	require.Contains(t, w.must("status", "-f", file), "rollout done", "a dry run does not take the rollout's place")
	require.Contains(t, w.atMost(cleanupOfTwo, []string{"east", "west"}, "cleanup", "-f", file), "removed")
	same()
	_, err := os.Stat(filepath.Join(w.dir, "roots", "test"))
	require.ErrorIs(t, err, os.ErrNotExist, "the root goes with its last user")
	require.Contains(t, w.must("cleanup", "-f", file), "removed 0 objects", "a second cleanup has nothing to do")
}

// requirePods requires that a gateway has so many pods, on the one node that there is, and
// that a drain may evict one of two, or the only one, for which there is no budget.
func (w *world) requirePods(cluster, gateway string, n int) {
	t, c := w.t, w.connect(cluster)
	t.Helper()
	pods, err := c.CoreV1().Pods("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "app=" + gateway, FieldSelector: "status.phase=Running"})
	require.NoError(t, err)
	require.Len(t, pods.Items, n, gateway)
	_, err = c.PolicyV1().PodDisruptionBudgets("istio-system").Get(ctx, gateway, metav1.GetOptions{})
	require.Equal(t, n == 1, apierrors.IsNotFound(err), "%s: %v", gateway, err)
	evict := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: pods.Items[0].Name}}
	require.Eventually(t, func() bool { return c.CoreV1().Pods("istio-system").EvictV1(ctx, evict) == nil }, patience, 100*time.Millisecond,
		"a drain evicts a pod of %s", gateway)
	require.Eventually(t, func() bool {
		d, err := c.AppsV1().Deployments("istio-system").Get(ctx, gateway, metav1.GetOptions{})
		return err == nil && int(d.Status.ReadyReplicas) == n && int(d.Status.Replicas) == n
	}, patience, 100*time.Millisecond, gateway)
	if n == 1 {
		require.Equal(t, "system-cluster-critical", pods.Items[0].Spec.PriorityClassName)
	}
}

// requireRemoteSecret requires the remote secret, which the source's istiod reads.
func (w *world) requireRemoteSecret(source, target string) {
	t := w.t
	t.Helper()
	s, err := w.connect(source).CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-"+target, metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "true", s.Labels["istio/multiCluster"])
	require.Equal(t, target, s.Annotations["networking.istio.io/cluster"])
	kubeconfig := string(s.Data[target])
	require.Contains(t, kubeconfig, "server: https://kube-apiserver-"+target+"-egress-gateway.istio-system.svc.cluster.local:443")
	require.Contains(t, kubeconfig, "tls-server-name: ")
	token, err := w.connect(target).CoreV1().Secrets("istio-system").Get(ctx, "landbridge-reader-"+source+"-1", metav1.GetOptions{})
	require.NoError(t, err)
	require.Contains(t, kubeconfig, string(token.Data[corev1.ServiceAccountTokenKey]))
}

func TestThree_WithAListOfLinks_MakesJustThose(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(clusters...)
	file := w.file(clusters, "links: mesh", "links: [{from: east, to: west}, {from: north, to: west}]")
	require.Contains(t, w.must("rollout", "-f", file), "3 clusters and 2 links")
	w.requireRemoteSecret("east", "west")
	w.requireRemoteSecret("north", "west")
	_, err := w.connect("west").CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-east", metav1.GetOptions{})
	require.Error(t, err, "nobody asked for west -> east")
	policies, err := w.connect("west").dyn.Resource(authorizationPolicies).Namespace("istio-system").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	data, err := json.Marshal(policies)
	require.NoError(t, err)
	require.Contains(t, string(data), "cluster.local/ns/istio-system/sa/kube-apiserver-east-to-west")
	require.Contains(t, string(data), "cluster.local/ns/istio-system/sa/kube-apiserver-north-to-west")
	require.Len(t, policies.Items, 3, "the denial, and one for each source")
	w.must("cleanup", "-f", file)
	same()
}

func TestThirdCluster_AddedAndPruned_TheOthersAreNotTouchedMoreThanNeeded(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(clusters...)
	two, three := w.file([]string{"east", "west"}), w.file(clusters)
	w.must("rollout", "-f", two)
	root := w.rootOf("east")
	w.must("rollout", "-f", three)
	require.Equal(t, root, w.rootOf("north"), "the kept root signs the third cluster")
	w.requireRemoteSecret("north", "east")
	w.requireRemoteSecret("east", "north")

	out := w.must("rollout", "-f", two)
	require.Contains(t, out, "left the fleet file, and not removed yet")
	w.requireRemoteSecret("north", "east")
	require.Contains(t, w.must("plan", "-f", two), "remove  Cluster north")
	out = w.must("rollout", "-f", two, "--prune")
	require.Contains(t, out, "removed: ")
	_, err := w.connect("north").CoreV1().Namespaces().Get(ctx, "istio-system", metav1.GetOptions{})
	require.Error(t, err)
	require.NotContains(t, w.must("rollout", "-f", two), "left the fleet file")
	w.must("cleanup", "-f", two)
	same()
}

func (w *world) rootOf(cluster string) string {
	t := w.t
	t.Helper()
	s, err := w.connect(cluster).CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
	require.NoError(t, err)
	return string(s.Data["root-cert.pem"])
}

func TestCleanup_OfTheSmallerFile_TakesTheRememberedClusterToo(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(clusters...)
	w.must("rollout", "-f", w.file(clusters))
	w.must("cleanup", "-f", w.file([]string{"east", "west"}))
	same()
}

func TestLoadBalancer_FailsTwiceAndComesLate_IsWaitedFor(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	w.behave("--cloud-delay", "6s", "--cloud-failures", "2", "--cloud-address", "hostname")
	file := w.file([]string{"east", "west"})
	out := w.must("rollout", "-f", file)
	require.Contains(t, out, "SyncLoadBalancerFailed", "the cloud's own words are shown while it waits")
	require.Contains(t, out, ".west.lab.example")
	entry, err := w.connect("east").dyn.Resource(serviceEntries).Namespace("istio-system").Get(ctx, "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "DNS", entry.Object["spec"].(map[string]any)["resolution"])

	// The address changes between runs, and the next run follows it.
	w.behave("--cloud-generation", "1")
	require.Eventually(t, func() bool {
		out := w.must("rollout", "-f", file)
		return strings.Contains(out, "203.0.113.")
	}, patience, pause)
	entry, err = w.connect("east").dyn.Resource(serviceEntries).Namespace("istio-system").Get(ctx, "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "STATIC", entry.Object["spec"].(map[string]any)["resolution"])
	w.must("cleanup", "-f", file)
	same()
}

func TestLoadBalancer_NeverComes_UndoesItsClusterAndKeepsTheRest(t *testing.T) {
	w := newWorld(t)
	sameWest := w.unchanged("west")
	same := w.unchanged("east", "west")
	w.behave("--cloud-never", "--cloud-only", "west")
	file := w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 4s")
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "cluster west, step wait for load balancer")
	require.Contains(t, out, "quota exceeded", "the Service's events say why")
	sameWest()
	_, err := w.connect("east").CoreV1().Services("istio-system").Get(ctx, "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(t, err, "east stays")
	status, code := w.try("status", "-f", file, "-o", "json")
	require.Equal(t, 3, code)
	var s struct{ Failures []api.Failure }
	require.NoError(t, json.Unmarshal([]byte(status), &s))
	require.Equal(t, "LoadBalancer", s.Failures[0].Type)

	w.behave()
	w.must("rollout", "-f", file) // a repeated rollout continues where the first failed
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

func TestSail_DeadEnd_EndsEarlyWithSailsOwnMessage(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {version: v1.24.3}\n")
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "end-of-life")
	same()
}
