package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/landbridge/landbridge/internal/fleet"
)

// polled is a Temporal with these workers, by task queue; each serves both kinds of tasks.
type polled struct {
	client.Client
	by map[string][]*taskqueuepb.PollerInfo
}

func (p polled) DescribeTaskQueue(_ context.Context, queue string, _ enumspb.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	return &workflowservice.DescribeTaskQueueResponse{Pollers: p.by[queue]}, nil
}

// poller describes a worker that asked for work so long ago.
func poller(identity, version string, ago time.Duration) *taskqueuepb.PollerInfo {
	return &taskqueuepb.PollerInfo{Identity: identity, LastAccessTime: timestamppb.New(time.Now().Add(-ago)),
		DeploymentOptions: &deploymentpb.WorkerDeploymentOptions{BuildId: version}}
}

func workersOf(t *testing.T, by map[string][]*taskqueuepb.PollerInfo, needs map[string][]string) queueList {
	t.Helper()
	list, err := readWorkers(t.Context(), polled{by: by}, needs)
	require.NoError(t, err)
	return list
}

func TestWorkers_ListsEachOnce_AndTheQueuesThatNobodyServes(t *testing.T) {
	list := workersOf(t, map[string][]*taskqueuepb.PollerInfo{
		"landbridge": {poller("landbridge-worker@b:2", "v0.4.0", time.Second), poller("landbridge-worker@a:1", "v0.4.0", time.Second)},
		"west":       {poller("landbridge-worker@w:3", "v0.3.0", 3*time.Minute)},
	}, map[string][]string{"landbridge": {"prod", "staging"}, "west": {"prod"}, "north": {"prod"}})
	require.Equal(t, []string{"north", "west"}, list.unserved(), "one that asks for no work any more serves nothing")
	require.Equal(t, []string{"landbridge-worker@a:1", "landbridge-worker@b:2", "landbridge-worker@w:3"}, list.names())
	require.Equal(t, []string{"activities", "workflows"}, list[0].Workers[0].Serves)
	var b strings.Builder
	printWorkers(&b, list)
	require.Equal(t, `TASK QUEUE   FLEETS         WORKER                  VERSION   LAST SEEN
landbridge   prod,staging   landbridge-worker@a:1   v0.4.0    1s ago
landbridge   prod,staging   landbridge-worker@b:2   v0.4.0    1s ago
north        prod           none                    -         -
west         prod           landbridge-worker@w:3   v0.3.0    3m0s ago, asks for no work any more
`, b.String())
}

func TestQueuesOf_AFleet_AreThoseOfItsRootAndClusters(t *testing.T) {
	f, err := fleet.Parse("fleet.yaml", []byte(`apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  taskQueue: hub
  ca: {root: {taskQueue: vault}}
  clusters:
  - {name: east, network: e, kubeconfig: {path: east}}
  - {name: west, network: w, kubeconfig: {path: west}, taskQueue: west}
`))
	require.NoError(t, err)
	by := []string{"prod"}
	require.Equal(t, map[string][]string{"hub": by, "vault": by, "west": by}, queuesOf(*f))
}

func TestVersion_OfAnotherWorker_IsAWarning(t *testing.T) {
	list := workersOf(t, map[string][]*taskqueuepb.PollerInfo{"landbridge": {
		poller("a", "v0.4.0", time.Second), poller("b", "v0.3.0", time.Second), poller("dead", "v0.2.0", time.Hour), poller("unknown", "", time.Second)}},
		map[string][]string{"landbridge": {"prod"}})
	v := versions{Client: "v0.4.0", Server: &serverVersion{Address: "127.0.0.1:7233", Namespace: "default", Version: "1.32.1"}, Workers: list, Skew: skew("v0.4.0", list)}
	require.Equal(t, []string{"b serves landbridge with version v0.3.0, and this command is v0.4.0"}, v.Skew)
	var b strings.Builder
	v.print(&b)
	require.Contains(t, b.String(), "landbridge v0.4.0\nTemporal 1.32.1 at 127.0.0.1:7233, namespace default\n")
	require.Contains(t, b.String(), "take the same version for both")
	v.Skew = nil
	b.Reset()
	v.print(&b)
	require.NotContains(t, b.String(), "take the same version")
}
