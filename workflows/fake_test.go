package workflows

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// fake takes the place of every activity. It finds them by reflection, so that each loop
// of a test includes an activity as soon as it exists. It notes the calls and answers as
// the test wants.
type fake struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T

	mu    sync.Mutex
	calls []fakeCall
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
	typ := reflect.TypeFor[*activities.Activities]()
	for m := range typ.Methods() {
		f.RegisterActivityWithOptions(f.stub(m).Interface(), activity.RegisterOptions{Name: m.Name})
	}
	return f
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// stub returns a function with the signature of the activity.
func (f *fake) stub(m reflect.Method) reflect.Value {
	in, out := m.Type.In(2), m.Type.Out(0)
	sig := reflect.FuncOf([]reflect.Type{reflect.TypeFor[context.Context](), in}, []reflect.Type{out, reflect.TypeFor[error]()}, false)
	return reflect.MakeFunc(sig, func(args []reflect.Value) []reflect.Value {
		ref := args[1].Interface().(interface{ Ref() api.ClusterRef }).Ref()
		c := fakeCall{m.Name, ref, args[1].Interface()}
		if m.Name != "CheckFleet" { // it reaches nothing
			f.mu.Lock()
			f.calls = append(f.calls, c)
			f.mu.Unlock()
		}
		result := reflect.New(out)
		f.fill(c, result)
		err := reflect.Zero(reflect.TypeFor[error]())
		if f.on != nil {
			if e := f.on(c); e != nil {
				err = reflect.ValueOf(&e).Elem()
			}
		}
		return []reflect.Value{result.Elem(), err}
	})
}

func (f *fake) fill(c fakeCall, result reflect.Value) {
	if strings.HasPrefix(c.name, "Ensure") {
		did := []fleet.Change{{Action: f.action, Kind: "Kind", Name: c.name}}
		if changes := result.Elem().FieldByName("Changes"); changes.Type() == reflect.TypeFor[fleet.Changes]() {
			changes.Set(reflect.ValueOf(fleet.Changes{Changes: did}))
		} else {
			changes.Set(reflect.ValueOf(did))
		}
	}
	switch r := result.Interface().(type) {
	case *api.CheckClusterResult:
		*r = api.CheckClusterResult{UID: c.ref.Cluster, Version: "v1.36.3", TLSServerName: "api." + c.ref.Cluster}
	case *api.CheckFleetResult:
		in := c.in.(api.CheckFleetInput)
		if err := in.Fleet.Validate(); err != nil {
			r.Wrong = err.Error()
		}
		return
	case *api.CheckEgressResult:
		for i := range c.in.(api.CheckEgressInput).Targets {
			r.Ports = append(r.Ports, fleet.FirstSharedPort+i)
		}
	case *api.CheckLinkResult:
		r.Proven = true
	case *api.WaitLoadBalancerResult:
		r.Address = fleet.Address{IPs: []string{"203.0.113.1"}}
	case *api.EnsureRootResult:
		r.CertPEM, r.Facts = "root", api.CertificateFacts{Fingerprint: "sha256:0"}
	case *api.EnsureSealingKeyResult:
		r.Recipient = "age1" + c.ref.Cluster
	}
	if f.answer != nil {
		f.answer(c, result.Interface())
	}
}

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

// undone turns the EnsureX among the calls into the RemoveX that undo them,
// newest first.
func undone(calls []string) []string {
	var out []string
	for _, c := range calls {
		if rest, ok := strings.CutPrefix(c, "Ensure"); ok {
			out = append(out, "Remove"+rest)
		}
	}
	slices.Reverse(out)
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
