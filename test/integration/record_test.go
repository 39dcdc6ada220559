package integration

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// forRelease names the release whose code the histories for replay come from. They never come
// from a branch under test.
var forRelease = flag.String("record", "", "directory below workflows/testdata to write histories into, such as v0.4.0")

// TestRecord_HistoriesForReplay writes a history of every workflow type, for each way in
// which it can end. workflows/replay_test.go lists what must be there.
func TestRecord_HistoriesForReplay(t *testing.T) {
	if *forRelease == "" {
		t.Skip("only for a release: -record v0.4.0")
	}
	dir := filepath.Join("..", "..", "workflows", "testdata", *forRelease)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	w := newWorld(t)
	keep := recorder(t, w, dir)
	// None of them leaves a fleet behind.
	t.Run("rollouts", func(t *testing.T) { w.recordRollouts(keep) })
	t.Run("looks", func(t *testing.T) { w.recordLooks(t, keep) })
	t.Run("shared", func(t *testing.T) { w.recordShared(keep) })
	t.Run("tokens", func(t *testing.T) { w.recordTokens(t, keep) })
	t.Run("notified", func(t *testing.T) { w.recordNotified(t, keep) })
	t.Run("steering", func(t *testing.T) { w.recordSteering(t, keep) })
	t.Run("forgotten", func(t *testing.T) { w.recordForgotten(t, keep) })
	t.Run("busy", func(t *testing.T) { w.recordBusyChild(t, keep) })
	t.Run("existing", func(t *testing.T) { w.recordExisting(t, keep) })
}

// recordRollouts runs rollouts that end in each way, beginning without a fleet.
func (w *world) recordRollouts(keep func(string)) {
	file := w.file([]string{"east", "west"})
	w.must("plan", "-f", file)
	keep("planned")
	w.behave("--cloud-never", "--cloud-only", "west")
	w.try("rollout", "-f", w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 2s"))
	keep("failed")
	w.behave("--cloud-failures", "1")
	w.must("rollout", "-f", file)
	keep("done")
	w.must("rollout", "-f", file)
	keep("unchanged")
	w.must("cleanup", "-f", file)
	keep("cleaned")
	w.behave("--sail-delay", "60s")
	w.must("rollout", "-f", file, "--detach")
	time.Sleep(2 * time.Second)
	w.behave()
	w.must("cleanup", "-f", file)
	keep("canceled")
}

// recordLooks runs the workflows that only read, on a fleet of its own.
func (w *world) recordLooks(t *testing.T, keep func(string)) {
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	keep("done-again")
	w.try("verify", "-f", file) // KWOK's pods carry no request
	keep("verified")
	w.must("check", "-f", file)
	keep("checked")
	w.must("drift", "-f", file)
	keep("undrifted")
	require.NoError(t, w.connect("east").CoreV1().Secrets("istio-system").Delete(ctx, "istio-remote-secret-west", metav1.DeleteOptions{}))
	_, code := w.try("drift", "-f", file)
	require.Equal(t, 3, code)
	keep("drifted")
	w.must("schedule", "-f", file, "--every", "12h", "--self-heal")
	require.NoError(t, w.client(t).ScheduleClient().GetHandle(ctx, "landbridge.test.drift").Trigger(ctx, client.ScheduleTriggerOptions{}))
	require.Eventually(t, func() bool { return strings.Contains(w.must("schedule", "show", "test"), "drift, repaired") }, patience, pause/2)
	keep("healed")
	w.must("gather", "-f", file, "--out", filepath.Join(t.TempDir(), "bundle.tgz"))
	keep("gathered")
	w.recordCA(t, file, keep)
	w.must("cleanup", "-f", file)
	keep("after-looks")
}

// recordCA moves the root to a cluster and back, exports it, and imports it again.
func (w *world) recordCA(t *testing.T, file string, keep func(string)) {
	inCluster := w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: ECDSA-P256, root: {cluster: east}}\n  "+withoutSecrets)
	w.stop()
	w.startWith("--kubeconfig-dir", w.lab.Dir, "--root-export")
	w.must("ca", "show", "-f", file)
	keep("ca-shown")
	w.must("ca", "move", "-f", file, "--to", "cluster", "--cluster", "east")
	keep("root-moved")
	pass, root := filepath.Join(t.TempDir(), "pass"), filepath.Join(t.TempDir(), "root.age")
	require.NoError(t, os.WriteFile(pass, []byte("correct horse\n"), 0o600))
	w.must("ca", "export", "-f", inCluster, "--passphrase-file", pass, "--out", root)
	keep("root-exported")
	w.must("ca", "import", root, "-f", file, "--passphrase-file", pass)
	keep("root-imported")
	w.must("ca", "move", "-f", inCluster, "--to", "directory") // the same root is there already
}

// sharedEgress gives the sources of a fleet file one egress gateway each.
var sharedEgress = []string{"gateways: {loadBalancerTimeout: 60s", "gateways: {egress: {mode: shared}, loadBalancerTimeout: 60s"}

// recordShared rolls out with shared egress gateways, and changes the mode. Without proofs the
// gateways of the other mode go with the next rollout.
func (w *world) recordShared(keep func(string)) {
	names := []string{"east", "west"}
	shared, perLink := w.file(names, sharedEgress...), w.file(names)
	w.must("rollout", "-f", shared)
	keep("shared")
	w.must("rollout", "-f", perLink)
	keep("mode-changed")
	w.must("rollout", "-f", perLink)
	keep("mode-left")
	w.must("cleanup", "-f", perLink)
	keep("after-shared")
}

// recordTokens renews tokens by hand and by their schedule.
func (w *world) recordTokens(t *testing.T, keep func(string)) {
	file := w.file([]string{"east", "west"}, "  links: mesh", "  credentials: {tokens: {lifetime: 24h}}\n  links: mesh")
	w.must("rollout", "-f", file)
	keep("tokens-end")
	w.must("rotate", "test", "--tokens", "--reason", "CHG-2")
	keep("rotated")
	require.Zero(t, w.checksTokens().Renewed)
	keep("tokens-checked")
	w.must("rotate", "test", "--intermediates", "--cluster", "east", "--reason", "CHG-3")
	keep("renewed")
	w.must("rotate", "test", "--root", "--reason", "CHG-4")
	keep("root-trusted")
	w.must("rotate", "test", "--root", "--undo", "--reason", "CHG-4")
	keep("root-undone")
	w.must("restart", "test", "--cluster", "east", "--reason", "INC-7", "--yes")
	keep("restarted")
	w.must("cleanup", "-f", file)
}

// recordNotified has a webhook of this machine hear that a rollout is done.
func (w *world) recordNotified(t *testing.T, keep func(string)) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer hook.Close()
	channels := filepath.Join(t.TempDir(), "notify.yaml")
	require.NoError(t, os.WriteFile(channels, []byte("oncall: {url: \""+hook.URL+"\"}\n"), 0o600))
	w.stop()
	w.startWith("--kubeconfig-dir", w.lab.Dir, "--notify-file", channels)
	file := w.file([]string{"east", "west"}, "  links: mesh", "  notifications: [{channel: oncall, events: [done]}]\n  links: mesh")
	w.must("rollout", "-f", file)
	w.untilNotified(t, 1)
	keep("notified")
	w.must("cleanup", "-f", file)
	w.untilNotified(t, 2)
	keep("after-notified")
}

// untilNotified waits until so many notifications were taken.
func (w *world) untilNotified(t *testing.T, n int) {
	t.Helper()
	c := w.client(t)
	require.Eventually(t, func() bool {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = 'NotifyFleet' AND ExecutionStatus = 'Completed'"})
		return err == nil && len(list.GetExecutions()) >= n
	}, patience, pause/2, "the webhook did not hear of it")
}

// recordSteering sends every decision, removes a member, and then the fleet when its file
// is lost.
func (w *world) recordSteering(t *testing.T, keep func(string)) {
	w.behave("--sail-error", "the version is end-of-life, says the test", "--sail-only", "west")
	waves := w.file(clusters, ", skipProof: true}", ", skipProof: true, approval: waves, waves: [{name: canary, clusters: [east, west]}]}")
	w.must("rollout", "-f", waves, "--detach", "--reason", "CHG-1")
	w.untilStatus(t, "wave rest waits")
	w.behave("--sail-delay", "3s")
	w.must("retry", "test", "--cluster", "west", "--by", "anna")
	time.Sleep(2 * time.Second)
	w.must("pause", "test", "--by", "anna")
	w.untilStatus(t, "paused")
	w.must("resume", "test", "--by", "anna")
	w.untilStatus(t, "wave rest waits")
	w.must("skip", "test", "--link", "north.west", "--by", "anna", "--reason", "later")
	w.must("approve", "test", "--wave", "rest", "--by", "anna", "--reason", "good")
	w.must("rollout", "-f", waves)
	w.behave()
	keep("steered")
	w.must("cleanup", "-f", waves, "--detach")
	w.untilStatus(t, "wave canary waits")
	w.must("approve", "test", "--wave", "canary", "--by", "anna", "--reason", "north is gone")
	w.must("watch", "test")
	keep("cleaned-in-waves")
	w.must("rollout", "-f", w.file(clusters))
	keep("whole")
	w.must("rollout", "-f", w.file([]string{"east", "west"}), "--prune")
	keep("pruned")
	w.must("cleanup", "test", "--cluster", "east=east.kubeconfig#")
	keep("lost")
}

// recordForgotten has a fleet forget a member whose kubeconfig is gone, and shuts a source
// out.
func (w *world) recordForgotten(t *testing.T, keep func(string)) {
	all, north := w.file(clusters), w.lab.Kubeconfig("north")
	w.must("rollout", "-f", all)
	keep("whole")
	require.NoError(t, os.Rename(north, north+".gone"))
	w.must("forget", "test", "--cluster", "north", "--reason", "recorded", "--yes")
	keep("forgotten")
	require.NoError(t, os.Rename(north+".gone", north))
	w.must("revoke", "test", "--cluster", "east", "--reason", "recorded", "--yes")
	keep("revoked")
	w.must("cleanup", "-f", all)
	keep("after-forgotten")
}

// recordBusyChild terminates a rollout from outside, and begins the next one while its
// children still undo their steps.
func (w *world) recordBusyChild(t *testing.T, keep func(string)) {
	file := w.file([]string{"east", "west"})
	w.behave("--sail-delay", "20s")
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	require.NoError(t, w.client(t).TerminateWorkflow(ctx, "landbridge.test", "", "recorded"))
	w.must("rollout", "-f", file, "--take-over", "--reason", "again")
	w.behave()
	keep("busy")
	w.must("cleanup", "-f", file)
	keep("after-busy")
}

// recordExisting rolls out over existing meshes.
func (w *world) recordExisting(t *testing.T, keep func(string)) {
	names := []string{"east", "west"}
	remove := w.meshes(t, names...)
	defer remove()
	all := w.merged(t, func(name string) string { return filepath.Join(w.lab.Dir, name+".kubeconfig") }, names...)
	w.stop()
	w.startWith("--kubeconfig-dir", filepath.Dir(all))
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	w.must("init", "--existing", "--kubeconfig", all, "-f", file, "--name", "test")
	keep("inspected")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(data, "  rollout: {skipProof: true, stepTimeout: 2m}\n"...), 0o600))
	w.must("rollout", "-f", file)
	keep("existing")
	w.must("cleanup", "-f", file)
	keep("existing-cleaned")
}

// random matches the part of a workflow's ID that differs each time.
var random = regexp.MustCompile(`^\.(plan|verify|drift|rotation|gather|check|inspect|inspectca|offerroot|exportroot)[.-]([0-9a-f-]{36}|[0-9TZ:-]+)|^\.dry-run\.[0-9a-f-]{36}|\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// recorder returns a function that writes every history which is new since its last call.
func recorder(t *testing.T, w *world, dir string) func(outcome string) {
	c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.port), Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	seen := map[string]bool{}
	return func(outcome string) {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
		require.NoError(t, err)
		runs := list.GetExecutions()
		slices.SortFunc(runs, func(a, b *workflowpb.WorkflowExecutionInfo) int {
			return b.GetStartTime().AsTime().Compare(a.GetStartTime().AsTime())
		})
		newest := map[string]bool{} // of one ID and type; an older one is how the newest came about
		for _, e := range runs {
			id := e.GetExecution().GetWorkflowId()
			one := e.GetType().GetName() + " " + id
			look := strings.HasPrefix(id, "landbridge.test.cleanup.") // what a cleanup would do, under a random ID
			if seen[e.GetExecution().GetRunId()] || newest[one] || look {
				seen[e.GetExecution().GetRunId()] = true
				continue
			}
			seen[e.GetExecution().GetRunId()], newest[one] = true, true
			h := &historypb.History{}
			iter := c.GetWorkflowHistory(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for iter.HasNext() {
				event, err := iter.Next()
				require.NoError(t, err)
				h.Events = append(h.Events, event)
			}
			data, err := protojson.Marshal(h)
			require.NoError(t, err)
			id = strings.TrimPrefix(id, "landbridge.test")
			id = random.ReplaceAllString(id, "")
			name := fmt.Sprintf("%s.%s%s.json", outcome, e.GetType().GetName(), id)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
}
