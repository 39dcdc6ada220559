package integration

import (
	"context"
	"flag"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/test/front"
)

// everyStep makes TestTwoTries take each step that writes to a cluster, and not those
// alone that write in a way of their own, and TestEachStep all and not a sample.
var everyStep = flag.Bool("every-step", false, "break each step that writes, not some")

// cutAt names a step and which of its writes is held back.
type cutAt struct {
	step  string
	write int32
}

// someCuts: Helm has begun an install, and marks it failed where it cannot go on; a
// Secret is written by server-side apply.
var someCuts = []cutAt{{"EnsureEastWestGateway", 2}, {"EnsureRemoteSecret", 1}}

// writesNothing lists the steps that leave no object in a cluster here: the root is on
// the worker's disk, and a key goes from one step to the next.
var writesNothing = []string{"EnsureRoot", "EnsureIntermediateKey"}

// cut loses the connection between a worker and Temporal at a step's write. The network
// to the cluster holds that write back, until another worker has done the step.
type cut struct {
	interceptor.WorkerInterceptorBase
	cutAt
	wire *front.Wire
	// other starts the other worker.
	other func()
	// unit is the workflow whose step is at work at the worker that is cut off.
	unit   atomic.Value
	inside atomic.Bool
	writes atomic.Int32
	// done is closed when the other worker has done the step.
	done     chan struct{}
	doneOnce sync.Once
}

// hold implements transport.WrapperFunc for the worker that is cut off.
func (c *cut) hold(rt http.RoundTripper) http.RoundTripper {
	return kube.RoundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet || !c.inside.Load() || c.writes.Add(1) != c.write {
			return rt.RoundTrip(req)
		}
		c.wire.Cut()
		go func() {
			<-c.done
			time.AfterFunc(time.Second, c.wire.Heal)
		}()
		c.other()
		select {
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		case <-c.done:
			return rt.RoundTrip(req)
		}
	})
}

func workflowID(ctx context.Context) string { return activity.GetInfo(ctx).WorkflowExecution.ID }

func (c *cut) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &cutStep{interceptor.ActivityInboundInterceptorBase{Next: next}, c}
}

type cutStep struct {
	interceptor.ActivityInboundInterceptorBase
	*cut
}

func (c *cutStep) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if activityName(ctx) != c.step {
		return c.Next.ExecuteActivity(ctx, in)
	}
	c.unit.CompareAndSwap(nil, workflowID(ctx))
	c.inside.Store(c.unit.Load() == workflowID(ctx))
	defer c.inside.Store(false)
	return c.Next.ExecuteActivity(ctx, in)
}

// after tells the cut that the other worker has done the step.
type after struct {
	interceptor.WorkerInterceptorBase
	*cut
}

func (a *after) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &afterStep{interceptor.ActivityInboundInterceptorBase{Next: next}, a.cut}
}

type afterStep struct {
	interceptor.ActivityInboundInterceptorBase
	*cut
}

func (a *afterStep) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	if err == nil && activityName(ctx) == a.step && workflowID(ctx) == a.unit.Load() {
		a.doneOnce.Do(func() { close(a.done) })
	}
	return out, err
}

// A worker is cut off from Temporal for longer than a heartbeat, not from the clusters.
// Temporal gives its step to another worker, and the first try must end by itself.
func TestTwoTries_OfOneStep_OnlyOneOfThemWrites(t *testing.T) {
	t.Parallel()
	cuts := someCuts
	if *everyStep {
		cuts = nil
		for m := range reflect.TypeFor[*activities.Activities]().Methods() {
			if strings.HasPrefix(m.Name, "Ensure") && !slices.Contains(writesNothing, m.Name) {
				cuts = append(cuts, cutAt{m.Name, 1})
			}
		}
	}
	for _, c := range cuts {
		t.Run(c.step, func(t *testing.T) { twoTries(t, c) })
	}
}

func twoTries(t *testing.T, at cutAt) {
	w := stillWorld(t)
	w.startTemporal()
	roots := t.TempDir()
	serve := func(address string, wrap transport.WrapperFunc, first interceptor.WorkerInterceptor) {
		w.serve(address, &activities.Activities{Access: kube.Access{Wrap: wrap}, RootDir: roots}, worker.Options{
			MaxConcurrentActivityExecutionSize: 1, MaxHeartbeatThrottleInterval: 4 * time.Second, Interceptors: []interceptor.WorkerInterceptor{first}})
	}
	c := &cut{cutAt: at, wire: front.Through(t, w.address()), done: make(chan struct{})}
	c.other = func() { serve(w.address(), nil, &after{cut: c}) }
	serve(c.wire.Address, c.hold, c)

	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	select {
	case <-c.done:
	default:
		t.Fatal("the connection was never cut, or the other worker did not do the step")
	}
	time.Sleep(3 * time.Second) // what the first try would still write
	w.must("drift", "-f", file)
	w.must("cleanup", "-f", file)
	same()
}
