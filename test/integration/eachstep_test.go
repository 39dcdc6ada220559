package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/workflows"
)

// saboteur lets one step act and loses the answer of its first try: the worst moment,
// since the workflow does not know what was done. The next try finds all of it there. Then
// the unit's next step fails for good after it acted.
type saboteur struct {
	interceptor.WorkerInterceptorBase
	name string
	mu   sync.Mutex
	// run is the workflow's run whose next step fails: the cleanup after it has another.
	run string
}

func (s *saboteur) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &sabotage{interceptor.ActivityInboundInterceptorBase{Next: next}, s}
}

type sabotage struct {
	interceptor.ActivityInboundInterceptorBase
	*saboteur
}

// alone lists the steps after which their unit has none here: they fail themselves.
var alone = []string{"EnsureRoot", "EnsureSharedEgress", "EnsureRemoteSecret", "WaitLoadBalancer"}

func (s *sabotage) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := s.Next.ExecuteActivity(ctx, in)
	if err != nil {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	run, name := activity.GetInfo(ctx).WorkflowExecution.RunID, activityName(ctx)
	mine := name == s.name && (s.run == "" || s.run == run)
	switch {
	case mine && activity.GetInfo(ctx).Attempt == 1:
		s.run = run
		return nil, errors.New("the answer was lost")
	case mine && !slices.Contains(alone, name), s.run != run, strings.HasPrefix(name, "Remove"):
		return out, nil
	}
	return nil, temporal.NewNonRetryableApplicationError("sabotaged after it acted", "Sabotage", nil)
}

// seed draws the sample of TestEachStep, as that of `make chaos`: make gives the commit's.
var seed = flag.Int64("seed", 1, "what draws the sample of the steps")

// sampleSteps is how many steps TestEachStep breaks without -every-step.
const sampleSteps = 3

// Every step that changes something, found from the code, is tried twice and undone. Its
// cluster or link is undone whole, cleanup removes the rest, and nothing is left.
func TestEachStep_AnswerLostThenTheNextFails_LeavesNothing(t *testing.T) {
	t.Parallel()
	var steps []string
	for _, name := range ofARollout(t) {
		if strings.HasPrefix(name, "Ensure") || strings.HasPrefix(name, "Wait") {
			steps = append(steps, name)
		}
	}
	require.Greater(t, len(steps), 14)
	all := *everyStep || strings.Contains(flag.Lookup("test.run").Value.String(), "TestEachStep/") // one by its name
	if !all {
		rand.New(rand.NewSource(*seed)).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		steps = steps[:sampleSteps]
	}
	for _, name := range steps {
		t.Run(name, func(t *testing.T) { sabotaged(t, name) })
	}
}

// ofARollout returns the activities of a rollout, with gateways for each link and with shared ones,
// from the histories of both. Others belong to rotations, or to a run that waits for another.
func ofARollout(t *testing.T) (names []string) {
	t.Helper()
	histories := filepath.Join("..", "..", "workflows", "testdata", "v*")
	files, err := filepath.Glob(filepath.Join(histories, "done.*.json"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(histories, "shared.*.json"))
	require.NoError(t, err)
	for _, f := range append(files, more...) {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`"activityType":\s*\{\s*"name":\s*"(\w+)"`).FindAllSubmatch(data, -1) {
			names = append(names, string(found[1]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// startTemporal starts a Temporal in this process, and no worker.
func (w *world) startTemporal() {
	w.t.Helper()
	s, err := server.Start(ctx, server.Options{Dir: w.t.TempDir(), Port: w.port, SearchAttributes: connect.SearchAttributes()})
	require.NoError(w.t, err)
	w.t.Cleanup(s.Stop)
}

// address returns that of this world's Temporal.
func (w *world) address() string { return fmt.Sprintf("127.0.0.1:%d", w.port) }

// serve starts a worker in this process, which reaches Temporal at an address. The
// interceptors of the options see the errors that Temporal gets.
func (w *world) serve(address string, acts *activities.Activities, o worker.Options) {
	w.t.Helper()
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Logger: silent{}})
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	o.WorkerStopTimeout, o.Interceptors = time.Second, append(o.Interceptors, &activities.Classify{})
	acts.Access.Dirs, acts.Temporal = []string{w.lab.Dir}, "test"
	wk := worker.New(c, fleet.DefaultTaskQueue, o)
	workflows.Register(wk)
	activities.Register(wk, acts)
	require.NoError(w.t, wk.Start())
	w.t.Cleanup(wk.Stop)
}

func sabotaged(t *testing.T, step string) {
	w := stillWorld(t)
	w.startTemporal()
	w.serve(w.address(), &activities.Activities{RootDir: t.TempDir()}, worker.Options{Interceptors: []interceptor.WorkerInterceptor{&saboteur{name: step}}})

	same := w.unchanged("east", "west")
	var edit []string
	if strings.Contains(step, "Shared") {
		edit = sharedEgress
	}
	out, code := w.try("rollout", "-f", w.file([]string{"east", "west"}, edit...))
	require.NotZero(t, code, out)
	require.Contains(t, out, "sabotaged after it acted")
	if code == 1 { // no cluster is done, so the undo alone must have left nothing
		same()
	}
	w.must("cleanup", "-f", w.lastFile)
	same()
}
