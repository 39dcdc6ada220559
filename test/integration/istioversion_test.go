package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const proxyAnnotation = "landbridge.dev/proxy-image"

// both are clusters of these tests.
var both = []string{"east", "west"}

// istioFile writes a fleet file with a version of Istio.
func (w *world) istioFile(version string, edit ...string) string {
	return w.file(both, append([]string{"spec:\n", "spec:\n  istio: {version: " + version + "}\n"}, edit...)...)
}

// deployment reads one of Istio's namespace.
func (w *world) deployment(cluster, name string) *appsv1.Deployment {
	d, err := w.connect(cluster).AppsV1().Deployments("istio-system").Get(ctx, name, metav1.GetOptions{})
	require.NoError(w.t, err)
	return d
}

// untilIstiod waits until the operator has brought every istiod to a version by itself.
func (w *world) untilIstiod(version string) {
	w.t.Helper()
	for _, c := range both {
		require.Eventually(w.t, func() bool {
			d := w.deployment(c, "istiod")
			return d.Labels["app.kubernetes.io/version"] == version && d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == *d.Spec.Replicas &&
				d.Status.Replicas == *d.Spec.Replicas && d.Status.ReadyReplicas == *d.Spec.Replicas
		}, patience, 200*time.Millisecond, "%s does not get istiod %s", c, version)
	}
}

// A fleet goes from one minor release to the next in waves, each of which shows what runs
// beside each other, and does not go anywhere else.
func TestIstioVersion_MinorByMinorInWaves_AndNoOtherWay(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(both...)
	w.must("rollout", "-f", w.istioFile("v1.28.10"))

	far := w.istioFile("v1.30.7")
	for _, command := range []string{"plan", "rollout"} {
		out, code := w.try(command, "-f", far)
		require.Equal(t, 2, code, out)
		for _, c := range both {
			require.Contains(t, out, "cluster "+c+": it runs istiod v1.28.10, CNI plugin v1.28.10, gateways v1.28.10, and Istio v1.30.7 would skip a minor release, "+
				"which Istio does not support; roll out v1.29.10 first (spec.istio.version), or pass --force-version")
		}
	}
	out := w.must("plan", "-f", far, "--force-version")
	require.Contains(t, out, "Istio changes: from v1.28.10 to v1.30.7 (east, west)")

	waves := ", skipProof: true, approval: waves, waves: [{name: canary, clusters: [east]}]}"
	next := w.istioFile("v1.29.10", ", skipProof: true}", waves)
	w.must("rollout", "-f", next, "--detach")
	const skew = "control planes run different versions of Istio: v1.28.10 (west), v1.29.10 (east)"
	require.Contains(t, w.untilStatus(t, "wave rest waits"), skew)
	require.Contains(t, w.must("plan", "-f", next), skew)
	w.must("approve", "test", "--wave", "rest", "--by", "cora", "--reason", "canary is good")
	w.must("watch", "test")
	out = w.must("drift", "-f", next)
	require.NotContains(t, out, "different versions")
	for _, c := range both {
		for _, name := range []string{"istiod", "istio-eastwestgateway"} {
			require.Equal(t, "1.29.10", w.deployment(c, name).Spec.Template.Labels["app.kubernetes.io/version"], "%s %s", c, name)
		}
	}

	back := w.istioFile("v1.28.10")
	out, code := w.try("rollout", "-f", back)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "cluster west: it runs istiod v1.29.10, CNI plugin v1.29.10, gateways v1.29.10, and Istio v1.28.10 would go back; set spec.istio.version to what runs or to a newer one, or pass --force-version")
	w.must("rollout", "-f", back, "--force-version")
	w.must("cleanup", "-f", back)
	same()
}

// An operator that is upgraded takes istiod along where the file has an alias. Nothing
// breaks; drift tells what it is; the next rollout has the gateways follow.
func TestIstioVersion_AnAliasThatMovesWithItsOperator(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(both...)
	defer w.behave()
	w.behave("--sail-older")
	file := w.istioFile("v1.31-latest")
	require.Eventually(t, func() bool {
		out, code := w.try("plan", "-f", file)
		require.Zero(t, code, out)
		return strings.Contains(out, "Istio: v1.31-latest is v1.31.2 now (east, west)")
	}, patience, time.Second, "the kinds list what the older operator knows")
	w.must("rollout", "-f", file)
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	image := func(cluster string) string {
		return w.deployment(cluster, "istio-eastwestgateway").Spec.Template.Annotations[proxyAnnotation]
	}
	old := image("east")
	require.Contains(t, old, "/proxyv2:1.31.2")

	w.behave()
	w.untilIstiod("1.31.3")
	require.Equal(t, old, image("east"), "nobody has touched the gateways")
	require.NotZero(t, w.deployment("east", "istio-eastwestgateway").Status.ReadyReplicas)
	out, code := w.try("drift", "-f", file)
	require.Equal(t, 3, code, out)
	for _, want := range []string{"Istio: v1.31-latest is v1.31.3 now (east, west)", "istiod v1.31.3, gateways v1.31.2 (east, west)",
		"values.podAnnotations." + proxyAnnotation, "proxyv2:1.31.2", "proxyv2:1.31.3"} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "somebody else changed")

	w.must("rollout", "-f", file)
	for _, c := range both {
		require.Contains(t, image(c), "/proxyv2:1.31.3")
		require.Contains(t, w.deployment(c, "kube-apiserver-"+map[string]string{"east": "west", "west": "east"}[c]+"-egress-gateway").Spec.Template.Annotations[proxyAnnotation], "/proxyv2:1.31.3")
	}
	out = w.must("drift", "-f", file)
	require.Contains(t, out, "is as the fleet file describes it")
	require.NotContains(t, out, "different versions")
	w.must("cleanup", "-f", file)
	same()
}

// Without a version in the file it is one that every operator knows, and it stays that
// one when the operators are upgraded.
func TestIstioVersion_NotInTheFile(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(both...)
	defer w.behave()
	w.behave("--sail-older", "--sail-only", "west")
	file := w.file(both)

	// Somebody's Istio that is updated by revisions is refused by name.
	east := sailCluster{t, w.connect("east")}
	_, err := east.istio(`{"version":"v1.31.2","namespace":"istio-system","updateStrategy":{"type":"RevisionBased"}}`)
	require.NoError(t, err)
	east.until(istios, "default", func(o *unstructured.Unstructured) bool {
		active, _, _ := unstructured.NestedString(o.Object, "status", "activeRevisionName")
		return active == "default-v1-31-2"
	})
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "cluster east: its Istio default has updateStrategy RevisionBased, so that its istiod has the revision default-v1-31-2, and the fleet file says InPlace; "+
		"set spec.istio.updateStrategy: RevisionBased, or spec.istio: {manage: false, revision: default-v1-31-2} to use it as it is")
	require.NoError(t, east.dyn.Resource(istios).Delete(ctx, "default", metav1.DeleteOptions{}))
	east.untilGone(istios, "default")
	east.untilGone(revisions, "default-v1-31-2")

	require.Contains(t, w.must("plan", "-f", file), "Istio v1.31.2 (the newest that every operator knows; spec.istio.version is not set)")
	w.must("rollout", "-f", file)
	w.behave()
	require.Contains(t, w.must("plan", "-f", file), "Istio v1.31.2 (rolled out last; spec.istio.version is not set)")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("cleanup", "-f", file)
	same()
}
