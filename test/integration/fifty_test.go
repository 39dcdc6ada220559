package integration

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/workflows"
)

// fiftyMesh makes TestFifty roll out 2,450 links instead of 98; it takes minutes.
var fiftyMesh = flag.Bool("fifty-mesh", false, "all of 50 clusters linked with each other, instead of with one")

// The limits that docs/limits.md promises.
const (
	maxPayload      = 512 << 10
	maxFailure      = 2 << 10
	maxFleetEvents  = 2000
	maxUnitEvents   = 200
	maxSourceEvents = 700
)

// simulate registers activities under every name. They do nothing and succeed, but fail
// on one cluster with the longest messages that there can be.
func simulate(w worker.Worker, broken string) {
	t := reflect.TypeFor[*activities.Activities]()
	for m := range t.Methods() {
		in, out := m.Type.In(2), m.Type.Out(0)
		sig := reflect.FuncOf([]reflect.Type{reflect.TypeFor[context.Context](), in}, []reflect.Type{out, reflect.TypeFor[error]()}, false)
		fn := reflect.MakeFunc(sig, func(args []reflect.Value) []reflect.Value {
			ref := args[1].Interface().(interface{ Ref() api.ClusterRef }).Ref()
			result, err := reflect.New(out), reflect.Zero(reflect.TypeFor[error]())
			if c := result.Elem().FieldByName("Changes"); c.IsValid() && strings.HasPrefix(m.Name, "Ensure") {
				var changes []fleet.Change
				for i := range 6 { // as many as a Helm release has
					changes = append(changes, fleet.Change{Action: fleet.Create, Kind: "HorizontalPodAutoscaler", Namespace: "istio-system", Name: fmt.Sprintf("kube-apiserver-%s-egress-gateway-%d", ref.Cluster, i)})
				}
				if c.Type() == reflect.TypeFor[fleet.Changes]() {
					c.Set(reflect.ValueOf(fleet.Changes{Changes: changes}))
				} else {
					c.Set(reflect.ValueOf(changes))
				}
			}
			switch r := result.Interface().(type) {
			case *api.CheckClusterResult:
				*r = api.CheckClusterResult{UID: ref.Cluster, Version: "v1.36.3", TLSServerName: "api." + ref.Cluster + ".example.com"}
			case *api.WaitLoadBalancerResult:
				r.Address = fleet.Address{IPs: []string{"203.0.113.1", "203.0.113.2"}}
			case *api.EnsureReaderTokenResult:
				r.Sealed = strings.Repeat("s", 4<<10)
			case *api.EnsureRootResult:
				r.CertPEM = strings.Repeat("c", 2<<10)
			}
			if ref.Cluster == broken && (m.Name == "EnsureEgressConfig" || m.Name == "RemoveEgressGateway") {
				e := error(temporal.NewNonRetryableApplicationError("cluster "+broken+": "+strings.Repeat("wörds ", 250), api.TypeInvalid, nil))
				err = reflect.ValueOf(&e).Elem()
			}
			return []reflect.Value{result.Elem(), err}
		})
		w.RegisterActivityWithOptions(fn.Interface(), activity.RegisterOptions{Name: m.Name})
	}
}

// Histories, payloads and failures of a fleet of 50 clusters stay within the limits of
// docs/limits.md, also where many links fail with long messages. make test has time for 20.
func TestFifty_HistoriesPayloadsAndFailures_StayWithinTheLimits(t *testing.T) {
	t.Parallel()
	w := &world{t: t, dir: t.TempDir(), port: freePort(t)}
	w.startWith("--task-queue", "nobodys", "--default-kubeconfig")
	t.Cleanup(w.stop)
	c := w.client(t)
	wk := worker.New(c, fleet.DefaultTaskQueue, worker.Options{})
	workflows.Register(wk)
	simulate(wk, "c07")
	require.NoError(t, wk.Start())
	t.Cleanup(wk.Stop)

	f := fleet.Fleet{APIVersion: fleet.APIVersion, Kind: fleet.Kind, Metadata: fleet.Metadata{Name: "fifty"}}
	clusters := 20
	if *wholeWay {
		clusters = 50
	}
	for i := range clusters {
		name := fmt.Sprintf("c%02d", i+1)
		f.Spec.Clusters = append(f.Spec.Clusters, fleet.Cluster{Name: name, Network: name, Kubeconfig: fleet.Kubeconfig{Path: name}})
	}
	if !*fiftyMesh {
		f.Spec.Links.Hub = &fleet.Hub{Cluster: "c07"}
	}
	f.SetDefaults()
	for _, typ := range []string{"RolloutFleet", "CleanupFleet"} {
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fleet.WorkflowID("fifty"), TaskQueue: fleet.DefaultTaskQueue}, typ, api.FleetInput{Fleet: f})
		require.NoError(t, err)
		require.Error(t, run.Get(ctx, nil), "one cluster is broken")
		seen := map[string]*largest{}
		measure(t, c, run.GetID(), run.GetRunID(), seen)
		for _, name := range slices.Sorted(maps.Keys(seen)) {
			l := seen[name]
			t.Logf("%-14s %5d workflows, at most %5d events, %4d KiB of history, payload %6d B, failure %4d B", name, l.count, l.events, l.bytes>>10, l.payload, l.failure)
			require.LessOrEqual(t, l.payload, maxPayload, name)
			require.LessOrEqual(t, l.failure, maxFailure, name)
			limit := maxUnitEvents
			switch name {
			case "RolloutFleet", "CleanupFleet":
				limit = maxFleetEvents * clusters / 50
			case "RolloutLinks":
				limit = maxSourceEvents
			}
			require.LessOrEqual(t, l.events, limit, name)
		}
	}
}

// largest holds the largest figures of the workflows of a type.
type largest struct{ count, events, bytes, payload, failure int }

func measure(t *testing.T, c client.Client, id, run string, seen map[string]*largest) {
	t.Helper()
	iter := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var l *largest
	events, bytes := 0, 0
	for iter.HasNext() {
		e, err := iter.Next()
		require.NoError(t, err)
		events, bytes = events+1, bytes+proto.Size(e)
		if a := e.GetWorkflowExecutionStartedEventAttributes(); a != nil {
			name := a.GetWorkflowType().GetName()
			if seen[name] == nil {
				seen[name] = &largest{}
			}
			l = seen[name]
			l.count++
		}
		l.payload = max(l.payload, proto.Size(e.GetWorkflowExecutionStartedEventAttributes().GetInput()), proto.Size(e.GetActivityTaskScheduledEventAttributes().GetInput()),
			proto.Size(e.GetActivityTaskCompletedEventAttributes().GetResult()), proto.Size(e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetInput()),
			proto.Size(e.GetWorkflowExecutionCompletedEventAttributes().GetResult()), proto.Size(e.GetChildWorkflowExecutionCompletedEventAttributes().GetResult()))
		for _, f := range []*failurepb.Failure{e.GetWorkflowExecutionFailedEventAttributes().GetFailure(), e.GetActivityTaskFailedEventAttributes().GetFailure()} {
			if f != nil {
				l.failure = max(l.failure, proto.Size(f))
			}
		}
		if a := e.GetChildWorkflowExecutionStartedEventAttributes(); a != nil {
			measure(t, c, a.GetWorkflowExecution().GetWorkflowId(), a.GetWorkflowExecution().GetRunId(), seen)
		}
	}
	l.events, l.bytes = max(l.events, events), max(l.bytes, bytes)
}
