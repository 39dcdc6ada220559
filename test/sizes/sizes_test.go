// Package sizes runs the workflows of large fleets on a real Temporal, and compares what they put into
// it with what Temporal carries. The clusters are not there, and what happens on one cluster or link is
// replaced: it does not grow with the fleet.
package sizes

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

var (
	clusters = flag.String("clusters", "100", "sizes of the fleets, with commas between them")
	tooLarge = flag.Bool("too-large", false, "also plan a mesh that is too large for Temporal")
)

// The budgets of fleets of up to wellWithin clusters: where Temporal begins to warn. A larger one
// may take twice as much, which is less than half of what ends a run.
const (
	wellWithin = 100
	maxEvents  = 10_240    // 51,200 end a run
	maxHistory = 10 << 20  // 50 MiB end it
	maxEvent   = 512 << 10 // 2 MiB in one payload end it
)

// shapes of fleets.
var shapes = map[string]func(*fleet.Fleet){
	"mesh": func(*fleet.Fleet) {},
	"hub":  func(f *fleet.Fleet) { f.Spec.Links = fleet.Links{Hub: &fleet.Hub{Cluster: f.Spec.Clusters[0].Name}} },
	"list": func(f *fleet.Fleet) {
		for i, c := range f.Spec.Clusters {
			f.Spec.Links.List = append(f.Spec.Links.List, fleet.Link{From: c.Name, To: f.Spec.Clusters[(i+1)%len(f.Spec.Clusters)].Name})
		}
	},
}

// of returns a fleet of so many clusters, as people write them.
func of(n int, shape func(*fleet.Fleet)) fleet.Fleet {
	f := fleet.Fleet{APIVersion: fleet.APIVersion, Kind: fleet.Kind, Metadata: fleet.Metadata{Name: "large"}}
	for i := range n {
		name := fmt.Sprintf("c%03d", i)
		f.Spec.Clusters = append(f.Spec.Clusters, fleet.Cluster{Name: name, Network: "network-" + name, Kubeconfig: fleet.Kubeconfig{Path: name + ".kubeconfig"}})
	}
	shape(&f)
	f.SetDefaults()
	return f
}

// operations in an order in which a fleet may live through them.
func operations(f fleet.Fleet) []operation {
	fewer := f.Without(f.Spec.Clusters[len(f.Spec.Clusters)-1].Name)
	return []operation{
		{"plan of a new fleet", api.PlanFleet, api.FleetInput{Fleet: f}},
		{"rollout", api.RolloutFleet, api.FleetInput{Fleet: f}},
		{"repeat", api.RolloutFleet, api.FleetInput{Fleet: f}},
		{"plan", api.PlanFleet, api.FleetInput{Fleet: f}},
		{"verify", api.VerifyFleet, api.FleetInput{Fleet: f.Reach(), FromInventories: true}},
		{"drift", api.DriftFleet, api.FleetInput{Fleet: f.Reach(), FromInventories: true}},
		{"rotate tokens", api.RotateFleet, api.FleetInput{Fleet: f.Reach(), FromInventories: true, Rotate: &api.Rotation{}}},
		{"prune of one", api.RolloutFleet, api.FleetInput{Fleet: fewer, Prune: true}},
		{"cleanup", api.CleanupFleet, api.FleetInput{Fleet: fewer}},
	}
}

type operation struct {
	name, typ string
	in        api.FleetInput
}

// TestSizes_EachOperation_StaysBelowWhatTemporalCarries runs all of them for fleets of -clusters.
func TestSizes_EachOperation_StaysBelowWhatTemporalCarries(t *testing.T) {
	for _, n := range strings.Split(*clusters, ",") {
		size := 0
		_, err := fmt.Sscan(n, &size)
		require.NoError(t, err)
		for _, shape := range slices.Sorted(maps.Keys(shapes)) {
			links := shapes[shape]
			t.Run(fmt.Sprintf("%s of %d", shape, size), func(t *testing.T) {
				w := newWorld(t)
				for _, op := range operations(of(size, links)) {
					began := time.Now()
					run, err := w.run(t.Context(), op.typ, op.in, nil)
					took := time.Since(began)
					if run == nil {
						t.Fatalf("%s: %v", op.name, err)
					}
					m := w.measure(run.GetID(), run.GetRunID())
					t.Logf("%-20s %6.1fs  %5d events  %7d KiB history  %6d KiB largest event (%s)  %5d ms longest task", op.name, took.Seconds(), m.events, m.history>>10, m.event>>10, m.of, m.task.Milliseconds())
					require.NoError(t, err, op.name)
					for _, over := range m.over(size) {
						t.Errorf("%s: %s", op.name, over)
					}
				}
			})
		}
	}
}

// measured sums up what one run put into Temporal.
type measured struct {
	events, history, event int
	// of names the type of the largest event.
	of string
	// task tells how long the longest workflow task took, which depends on the machine: it is a
	// figure, and nothing that a test can require.
	task time.Duration
}

// over lists the budgets of a fleet of so many clusters that the run exceeded.
func (m measured) over(clusters int) (out []string) {
	times := 1
	if clusters > wellWithin {
		times = 2
	}
	for _, b := range []struct {
		what       string
		have, most int
	}{{"events", m.events, times * maxEvents}, {"bytes of history", m.history, times * maxHistory}, {"bytes in one event (" + m.of + ")", m.event, times * maxEvent}} {
		if b.have > b.most {
			out = append(out, fmt.Sprintf("%d %s, of at most %d", b.have, b.what, b.most))
		}
	}
	return out
}

// measure reads the history of a fleet's workflow, which is the one that grows with the fleet.
func (w *world) measure(id, run string) (m measured) {
	w.t.Helper()
	d, err := w.DescribeWorkflowExecution(w.t.Context(), id, run)
	require.NoError(w.t, err)
	m.events, m.history = int(d.GetWorkflowExecutionInfo().GetHistoryLength()), int(d.GetWorkflowExecutionInfo().GetHistorySizeBytes())
	var began time.Time
	for page := []byte(nil); ; {
		h, err := w.WorkflowService().GetWorkflowExecutionHistory(w.t.Context(), &workflowservice.GetWorkflowExecutionHistoryRequest{
			Namespace: "default", Execution: d.GetWorkflowExecutionInfo().GetExecution(), NextPageToken: page})
		require.NoError(w.t, err)
		for _, e := range h.GetHistory().GetEvents() {
			if n := proto.Size(e); n > m.event {
				m.event, m.of = n, strings.TrimPrefix(e.GetEventType().String(), "EVENT_TYPE_")
			}
			switch e.GetEventType() {
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
				began = e.GetEventTime().AsTime()
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
				m.task = max(m.task, e.GetEventTime().AsTime().Sub(began))
			}
		}
		if page = h.GetNextPageToken(); len(page) == 0 {
			return m
		}
	}
}

// A plan of a mesh that is too large ends with a sentence, and not never.
func TestSizes_APlanThatTemporalDoesNotTake_EndsWithBothSizes(t *testing.T) {
	if !*tooLarge {
		t.Skip("takes minutes; -too-large runs it")
	}
	w := newWorld(t)
	_, err := w.run(t.Context(), api.PlanFleet, api.FleetInput{Fleet: of(400, shapes["mesh"])}, nil)
	require.ErrorContains(t, err, "Temporal takes 2 MiB")
}
