package workflows

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/workflows/workflowtest"
)

// fake runs workflows with every activity replaced. It notes the calls and answers as the test
// wants.
type fake struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T

	mu    sync.Mutex
	calls []fakeCall
	// turn lets one activity at a time ask the test what to answer: steps run beside each other.
	turn sync.Mutex
	// over says that the workflow ended. An activity can outlast it, when it was canceled; it no
	// longer counts then.
	over bool
	// on returns the error of an activity. Without one it succeeds.
	on func(c fakeCall) error
	// action names what every EnsureX reports to have done. Default: create.
	action fleet.Action
	// answer changes a result, where it is set.
	answer func(c fakeCall, result any)
}

type fakeCall struct {
	name string
	ref  api.ClusterRef
	in   any
}

// String returns "EnsureX east", or "EnsureX east (east.west)" for a step of a link.
func (c fakeCall) String() string {
	s := strings.TrimSpace(c.name + " " + c.ref.Cluster)
	if in, ok := c.in.(api.RemoveInput); ok && in.Link != "" {
		s += " (" + in.Link + ")"
	} else if l := reflect.ValueOf(c.in).FieldByName("Link"); l.IsValid() {
		if link, ok := l.Interface().(fleet.Link); ok {
			s += " (" + link.ID() + ")"
		}
	}
	return s
}

func newFake(t *testing.T) *fake {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	f := &fake{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, action: fleet.Create}
	f.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is none
	Register(f.TestWorkflowEnvironment)
	stubs := workflowtest.Activities{Called: f.called, Action: func() fleet.Action { return f.action },
		Fails: func(c workflowtest.Call) (err error) {
			f.ask(f.on != nil, func() { err = f.on(fakeCall{c.Name, c.Ref, c.In}) })
			return err
		},
		Answer: func(c workflowtest.Call, result any) {
			f.ask(f.answer != nil, func() { f.answer(fakeCall{c.Name, c.Ref, c.In}, result) })
		}}
	stubs.Register(f.TestWorkflowEnvironment)
	return f
}

// ask lets the test answer, where it wants to, one activity after the other.
func (f *fake) ask(wants bool, answer func()) {
	f.turn.Lock()
	defer f.turn.Unlock()
	if wants && !f.over {
		answer()
	}
}

// called notes a call, but for that of an activity that reaches nothing.
func (f *fake) called(c workflowtest.Call) {
	f.ask(c.Name != "CheckFleet", func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.calls = append(f.calls, fakeCall{c.Name, c.Ref, c.In})
	})
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// names returns the calls so far, as text.
func (f *fake) names(keep func(fakeCall) bool) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []string{}
	for _, c := range f.calls {
		if keep == nil || keep(c) {
			out = append(out, c.String())
		}
	}
	return out
}

// wrote returns the inventory that was last written to a cluster.
func (f *fake) wrote(cluster string) (last api.EnsureInventoryInput) {
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureInventoryInput); ok && c.ref.Cluster == cluster {
			last = in
		}
	}
	return last
}

// inEarnest keeps what is no plan.
func inEarnest(c fakeCall) bool { return !c.ref.DryRun }

func removes(c fakeCall) bool { return strings.HasPrefix(c.name, "Remove") }
func ensures(c fakeCall) bool { return strings.HasPrefix(c.name, "Ensure") }

// undone turns the EnsureX among the calls into the RemoveX that undo them, in the reverse order
// of their table.
func undone(calls []string) []string {
	var out []string
	for _, c := range inTableOrder(calls) {
		if rest, ok := strings.CutPrefix(c, "Ensure"); ok {
			out = append(out, "Remove"+rest)
		}
	}
	slices.Reverse(out)
	return out
}

// undidAll requires that all that the unit did was undone, in the reverse order of the table. The
// step of another lane that was canceled before the activity began is undone, too: nobody knows
// whether it began.
func (f *fake) undidAll(happy []string) {
	f.t.Helper()
	did, undid := undone(f.names(ensures)), f.names(removes)
	require.Subset(f.t, undid, did)
	require.LessOrEqual(f.t, len(undid), len(did)+1, "at most one lane is canceled")
	inOrder := slices.DeleteFunc(undone(happy), func(c string) bool { return !slices.Contains(undid, c) })
	require.Equal(f.t, inOrder, emptyAsNil(undid))
}

// inTableOrder returns calls of one unit in the order of their table, which steps that run beside
// each other need not keep.
func inTableOrder(calls []string) []string {
	var order []string
	for _, tab := range tables {
		for _, s := range tab.steps {
			order = append(order, activityName(s.do))
		}
	}
	out := slices.Clone(calls)
	slices.SortStableFunc(out, func(a, b string) int {
		return slices.Index(order, strings.Fields(a)[0]) - slices.Index(order, strings.Fields(b)[0])
	})
	return out
}

// broken returns an error that no retry repairs.
func broken(c fakeCall) error {
	return temporal.NewNonRetryableApplicationError("cluster "+c.ref.Cluster+": no", api.TypeForbidden, nil)
}

// testFleet returns a fleet of these clusters, all linked with each other.
func testFleet(names ...string) fleet.Fleet {
	f := fleet.Fleet{APIVersion: fleet.APIVersion, Kind: fleet.Kind, Metadata: fleet.Metadata{Name: "test"}}
	for _, n := range names {
		f.Spec.Clusters = append(f.Spec.Clusters, fleet.Cluster{Name: n, Network: n, Kubeconfig: fleet.Kubeconfig{Path: n}})
	}
	f.SetDefaults()
	return f
}

// remember has a cluster remember its part of a fleet, whoever asks for its inventory.
func remember(f fleet.Fleet, c fakeCall, result any) {
	part := f.Part(c.ref.Cluster, fleet.Stale{})
	switch r := result.(type) {
	case *api.CheckClusterResult:
		r.Inventory = &part
	case *api.CheckInventoryResult:
		r.Inventory = &part
	}
}

func testRef(cluster string) api.ClusterRef {
	f := testFleet("east", "west")
	c, _ := f.Cluster(cluster)
	return api.FleetInput{Fleet: f}.Ref(c, "run-1")
}

func clusterInput() api.ClusterInput {
	f := testFleet("east", "west")
	return api.ClusterInput{ClusterRef: testRef("east"), Root: api.RootRef{ClusterRef: api.ClusterRef{Fleet: "test", TaskQueue: fleet.DefaultTaskQueue}},
		RootPEM: "root", Network: "east", Part: f.Part("east", fleet.Stale{}), Rollout: f.Spec.Rollout, IsSource: true}
}

func linkInput() api.LinkInput {
	f := testFleet("east", "west")
	return api.LinkInput{LinkSettings: api.LinkSettings{Rollout: f.Spec.Rollout}, Link: fleet.Link{From: "east", To: "west"},
		Source: testRef("east"), Recipient: "age1east", Target: api.Target{ClusterRef: testRef("west"), TLSServerName: "api.west", Address: fleet.Address{Hostname: "lb"}}}
}

// run runs a workflow to its end and returns its error.
func (f *fake) run(workflow, in any) error {
	f.t.Helper()
	f.ExecuteWorkflow(workflow, in)
	f.turn.Lock()
	defer f.turn.Unlock()
	f.over = true
	require.True(f.t, f.IsWorkflowCompleted(), "the workflow must end")
	return f.GetWorkflowError()
}

func (f *fake) status(out any) {
	f.t.Helper()
	v, err := f.QueryWorkflow(api.StatusQuery)
	require.NoError(f.t, err)
	require.NoError(f.t, v.Get(out))
}

func withType(err error, typ string) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), typ, nil)
}
