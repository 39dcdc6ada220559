package integration

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
)

// A drift shows what somebody else changed, field by field. A rollout overwrites it only
// with --force-conflicts.
func TestDrift_IsShownAndLeftAlone_UntilConflictsAreForced(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")

	east := w.connect("east")
	gateways := east.dyn.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}).Namespace("istio-system")
	_, err := gateways.Patch(ctx, "east-west", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/servers/0/port/number","value":9999}]`), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)
	_, err = east.CoreV1().Services("istio-system").Patch(ctx, "istio-eastwestgateway", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/ports/1/port","value":15444}]`), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)
	_, err = east.CoreV1().Secrets("istio-system").Patch(ctx, "istio-remote-secret-west", types.MergePatchType, []byte(`{"data":{"west":"bm9uc2Vuc2U="}}`), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)

	out, code := w.try("drift", "-f", file)
	require.Equal(t, 3, code, out)
	require.Regexp(t, `Gateway istio-system/east-west.*somebody else changed spec\.servers\[0\]\.port\.number, with somebody at \S+Z;`, out)
	require.Contains(t, out, "spec.servers[0].port.number: - 9999 + ")
	require.Regexp(t, `Service istio-system/istio-eastwestgateway.*somebody else changed spec\.ports\[1\]\.port.*, with somebody at \S+Z;`, out)
	var r api.DriftResult
	asJSON, err := w.command(ctx, "drift", "-f", file, "-o", "json").Output()
	require.Error(t, err, "exit code 3")
	require.NoError(t, json.Unmarshal(asJSON, &r))
	require.True(t, r.Drifted)

	before := w.versions("east")
	out, code = w.try("rollout", "-f", file)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "was changed by somebody else")
	require.Contains(t, out, "rollout --force-conflicts")
	for _, o := range []string{"Gateway istio-system/east-west", "Service istio-system/istio-eastwestgateway", "Secret istio-system/istio-remote-secret-west"} {
		require.Equal(t, before[o], w.versions("east")[o], "%s is left alone", o)
	}

	w.must("rollout", "-f", file, "--force-conflicts", "--reason", "CHG-9")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

// A schedule checks at intervals, and here at once since the test triggers it. With
// --self-heal it repairs the drift.
func TestSchedule_FindsDriftAndRepairsIt(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	check := func(want ...string) {
		t.Helper()
		require.NoError(t, w.client(t).ScheduleClient().GetHandle(ctx, "landbridge.test.drift").Trigger(ctx, client.ScheduleTriggerOptions{}))
		var out string
		require.Eventually(t, func() bool {
			out = w.must("schedule", "show", "test")
			return strings.Count(out, want[0]) == len(want)
		}, patience, pause/2)
	}
	require.Contains(t, w.must("schedule", "-f", file, "--every", "12h"), "checked for drift every 12h")
	check("no drift")
	// The schedule checks against the last rollout, and not the file that it was made with.
	later := w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, dataPlaneHosts: [a.example.com]", "\nspec:\n", "\nspec:\n  protected: true\n")
	w.must("rollout", "-f", later, "--reason", "CHG-2")
	check("no drift", "no drift")
	// A cleanup that is refused deletes nothing, and cancels nothing.
	out, code := w.try("cleanup", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "the fleet test is protected by spec.protected of the last rollout")
	require.Contains(t, w.must("schedule", "show", "test"), "every 12h")
	file = w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, dataPlaneHosts: [a.example.com]")
	w.must("rollout", "-f", file)
	require.NoError(t, w.connect("east").CoreV1().Secrets("istio-system").Delete(ctx, "istio-remote-secret-west", metav1.DeleteOptions{}))
	check("drift: 1 changed object")
	w.must("schedule", "-f", file, "--every", "6h", "--self-heal", "--reason", "CHG-3")
	out = w.must("schedule", "show", "test")
	require.Contains(t, out, "every 6h")
	require.Contains(t, out, "CHG-3")
	check("drift, repaired")
	w.requireRemoteSecret("east", "west")
	require.Contains(t, w.must("schedule", "show", "test", "-o", "json"), `"generation": 3`, "to repair is no other generation")
	require.Contains(t, w.must("schedule", "delete", "test"), "no longer checked")
	out, code = w.try("schedule", "delete", "test")
	require.Equal(t, 1, code)
	require.Contains(t, out, "the fleet test has no schedule")
	w.must("schedule", "-f", file, "--self-heal")
	require.Contains(t, w.must("cleanup", "-f", file), "the schedule of the fleet test is deleted", "it would roll out again")
	same()
}

// A field that somebody else changed is not overwritten either when the fleet file
// changes it too.
func TestDrift_OfAFieldThatTheFleetFileChangesToo_IsNotOverwritten(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	east := w.connect("east")
	gateways := east.dyn.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}).Namespace("istio-system")
	_, err := gateways.Patch(ctx, "east-west", types.MergePatchType, []byte(`{"spec":{"selector":{"app":"somebodys"}}}`), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)
	changed := w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, dataPlaneHosts: [a.example.com]")
	out, code := w.try("rollout", "-f", changed)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, `conflict with "somebody"`)
	w.must("rollout", "-f", changed, "--force-conflicts")
	w.must("cleanup", "-f", changed)
	same()
}

func TestPlan_ShowsFieldByField_AndOfSecretsFingerprints(t *testing.T) {
	w := newWorld(t)
	file := w.file([]string{"east", "west"})
	out := w.must("plan", "-f", file)
	require.Contains(t, out, "spec.values.global.meshID")
	brief, code := w.try("plan", "-f", file, "--brief", "--exit-code")
	require.Equal(t, 3, code, brief)
	require.NotContains(t, brief, "spec.values.global.meshID")
	require.NotContains(t, out, "PRIVATE KEY")

	// A plan is rolled out as long as it holds.
	plan := filepath.Join(t.TempDir(), "fleet.plan")
	w.must("plan", "-f", file, "--out", plan)
	w.must("rollout", "--plan", plan, "--requested-by", "anna")
	out, code = w.try("rollout", "--plan", plan)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "requested by anna; nothing had been applied before")
	require.Contains(t, w.must("plan", "-f", file, "--out", plan), "rolled out last: this fleet file (generation 1, sha256:")
	require.NoError(t, w.connect("east").CoreV1().Secrets("istio-system").Delete(ctx, "istio-remote-secret-west", metav1.DeleteOptions{}))
	out, code = w.try("rollout", "--plan", plan)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "link east -> west: Secret istio-system/istio-remote-secret-west was to stay as it is, and is now to be created")
	out, code = w.try("drift", "test")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "- deleted  Secret istio-system/istio-remote-secret-west")
	w.must("plan", "-f", file, "--out", plan)
	w.must("rollout", "--plan", plan)
	require.Contains(t, w.must("check", "-f", file), "fleet test: nothing stands in the way of a rollout")
	// Without the fleet file, by what Temporal and the clusters remember.
	require.Contains(t, w.must("drift", "test"), "fleet test is as it was rolled out last (generation 1, sha256:")
	out, _ = w.try("verify", "test") // KWOK's pods carry no request
	require.Contains(t, out, "west -> east")
	require.Contains(t, w.must("drift", "test", "--cluster", "west=west.kubeconfig#"), "as it was rolled out last")
	out, code = w.try("drift", "nobodys")
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "this Temporal has no schedule and no run of a fleet nobodys")
	bundle := filepath.Join(t.TempDir(), "bundle.tgz")
	w.must("gather", "test", "--out", bundle)
	require.Contains(t, w.must("schedule", "test", "--every", "12h"), "checked for drift every 12h")
	w.must("cleanup", "test")
	out, code = w.try("drift", "test")
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "no cluster remembers the fleet test")
}
