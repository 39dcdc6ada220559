package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/test/lab"
)

// The operator removes what belongs to Istio seconds after Istio. A cleanup that goes on
// before leaves the operator's Secrets, and a namespace that cannot go.
func TestCleanup_WaitsForWhatTheOperatorUninstalls(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	w.behave("--sail-lag", "1s")
	defer w.behave()
	w.must("cleanup", "-f", file)
	same()
}

// Somebody deletes Istio in the background, as kubectl does, a moment before a cleanup.
func TestCleanup_OfAnIstioThatSomebodyDeletedAMomentAgo(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	w.behave("--sail-lag", "3s")
	defer w.behave()
	background := metav1.DeletePropagationBackground
	require.NoError(t, w.connect("east").dyn.Resource(istios).Delete(ctx, "default", metav1.DeleteOptions{PropagationPolicy: &background}))
	w.must("cleanup", "-f", file)
	same()
}

func TestCleanup_OperatorIsAway_IsSaidWithItsDeployment(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	w.behave("--sail-away", lab.AwayAll)
	defer w.behave()
	hasty := w.file([]string{"east", "west"}, "stepTimeout: 2m", "stepTimeout: 40s")
	out, code := w.try("cleanup", "-f", hasty)
	require.NotZero(t, code, out)
	require.Contains(t, out, "its operator (Deployment sail-operator/sail-operator) does not run: it is scaled to 0; scale it up")
	w.behave()
	w.must("cleanup", "-f", file)
	same()
}

// After the change of a version Istio says Ready, Healthy and its own generation, of the
// state before. The rollout waits for the revision, and drift tells that it is not there.
func TestUpgrade_OperatorStopsOnceItHasSeenTheChange(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	w.must("rollout", "-f", w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {version: v1.30.7}\n"))
	w.behave("--sail-away", lab.AwayAfterSeeing)
	defer w.behave()
	file := w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {version: v1.31.3}\n", "stepTimeout: 2m", "stepTimeout: 40s")
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "has not been looked at by Sail yet; its operator (Deployment sail-operator/sail-operator) does not run: it is scaled to 0; scale it up")
	require.NotContains(t, out, "(undone)", "an update stays")
	out, code = w.try("drift", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "has not been looked at by Sail yet")
	w.behave()
	w.must("rollout", "-f", file)
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("cleanup", "-f", file)
	same()
}

// An istiod that cannot run leaves the old one in place, which is ready: only the new one
// counts.
func TestUpgrade_ToAnIstiodThatCannotRun(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	w.must("rollout", "-f", w.file([]string{"east", "west"}))
	broken := w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {values: {pilot: {nodeSelector: {no: such}}}}\n", "stepTimeout: 2m", "stepTimeout: 40s")
	out, code := w.try("rollout", "-f", broken)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "Deployment istio-system/istiod is not ready yet")
	out, code = w.try("drift", "-f", broken)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "not all istiod pods are ready")
	good := w.file([]string{"east", "west"})
	w.must("rollout", "-f", good)
	w.must("cleanup", "-f", good)
	same()
}

// Sail's values are typed. A name that it does not know is refused by a plan already.
func TestIstio_ValueThatSailDoesNotKnow_IsRefusedByPlan(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	typo := w.file([]string{"east", "west"}, "spec:\n", "spec:\n  istio: {values: {pilot: {autoscaleEnbled: false}}}\n")
	for _, command := range []string{"plan", "rollout"} {
		out, code := w.try(command, "-f", typo)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "autoscaleEnbled: field not declared in schema")
		require.Contains(t, out, "correct spec.istio.values")
	}
	same()
}
