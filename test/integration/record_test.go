package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
)

// record is for a release, and for nothing else: histories are recorded from
// released code.
var record = flag.String("record", "", "directory below workflows/testdata to record histories into, such as v0.1.0")

// TestRecord_HistoriesForReplay inventories one history of each kind of outcome.
func TestRecord_HistoriesForReplay(t *testing.T) {
	if *record == "" {
		t.Skip("only for a release: -record v0.1.0")
	}
	dir := filepath.Join("..", "..", "workflows", "testdata", *record)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	w := newWorld(t)
	file := w.file([]string{"east", "west"})
	keep := recorder(t, w, dir)

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
	w.must("approve", "test", "--by", "anna", "--reason", "good")
	w.must("rollout", "-f", waves)
	keep("steered")
	w.must("cleanup", "--fleet", "test", "--cluster", "east=east.kubeconfig#")
	keep("lost")
}

// recorder writes every history that is new since its last call.
func recorder(t *testing.T, w *world, dir string) func(outcome string) {
	c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.port), Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	seen := map[string]bool{}
	return func(outcome string) {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
		require.NoError(t, err)
		for _, e := range list.GetExecutions() {
			if seen[e.GetExecution().GetRunId()] {
				continue
			}
			seen[e.GetExecution().GetRunId()] = true
			h := &historypb.History{}
			iter := c.GetWorkflowHistory(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for iter.HasNext() {
				event, err := iter.Next()
				require.NoError(t, err)
				h.Events = append(h.Events, event)
			}
			data, err := protojson.Marshal(h)
			require.NoError(t, err)
			id := strings.TrimPrefix(e.GetExecution().GetWorkflowId(), "landbridge.test")
			if i := strings.Index(id, ".plan."); i == 0 { // its ID is random
				id = id[len(".plan.")+36:]
			}
			name := fmt.Sprintf("%s.%s%s.json", outcome, e.GetType().GetName(), id)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
}
