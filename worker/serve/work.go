package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/reconcile"
	"github.com/landbridge/landbridge/workflows"
)

const (
	// stopTimeout lets running activities end when the worker is asked to stop:
	// longer than a request to an API server.
	stopTimeout = 40 * time.Second
	// heartbeatEvery bounds how old the news of a wait is that people see. The SDK also
	// ends a try whose heartbeat Temporal has not answered for so long: half of the
	// heartbeat timeout lets a busy Temporal answer late, and yet ends the try before
	// another one begins.
	heartbeatEvery = 4 * time.Second

	// taskTime is how long a workflow may compute before the SDK takes that for a deadlock, and
	// has the task begun again: as long as Temporal waits for it. The SDK's one second is over too
	// soon for a large fleet on a machine that has too much to do.
	taskTime = 10 * time.Second
	// noDeployment names the workers that no --deployment puts under worker
	// versioning, so that Temporal's list of workers shows their build.
	noDeployment = "landbridge"
)

// work serves the task queues of one program.
type work struct {
	options Options
	client  client.Client
	// people reads what is encrypted, too; connection is how it was made.
	people     client.Client
	connection client.Options
	namespace  string
	payloads   converter.DataConverter
	wrap       transport.WrapperFunc
	metrics    *activities.Metrics
	logger     *slog.Logger
}

// run serves until the context ends, and then lets running activities end.
func (w *work) run(ctx context.Context) error {
	o := w.options
	acts, err := w.activities(ctx)
	if err != nil {
		return w.explain(err)
	}
	// A worker whose polls are refused for minutes stops by itself; without this the
	// process would stay and do nothing.
	broken := make(chan error, len(o.TaskQueues))
	var started []worker.Worker
	defer func() {
		for _, s := range started {
			s.Stop()
		}
	}()
	for _, queue := range o.TaskQueues {
		s := w.worker(queue, acts, func(err error) { broken <- fmt.Errorf("serve the task queue %s: %w", queue, err) })
		if err := s.Start(); err != nil {
			return w.explain(fmt.Errorf("serve the task queue %s: %w", queue, err))
		}
		started = append(started, s)
	}
	defer w.watchFleets(ctx)()
	w.logger.Info("serving", "taskQueues", o.TaskQueues, "kubeconfigDirs", o.KubeconfigDirs, "defaultKubeconfig", o.DefaultConfig, "managementKubeconfig", o.Management.Kubeconfig, "rootDir", o.RootDir)
	return w.wait(ctx, broken)
}

// wait returns when the context ends, or with what ended a worker before.
func (w *work) wait(ctx context.Context, broken <-chan error) error {
	select {
	case err := <-broken:
		return w.explain(err)
	case <-ctx.Done():
		w.logger.Info("stopping; running activities may take up to " + stopTimeout.String() + "; a second signal does not wait for them")
		return nil
	}
}

// activities readies the namespace for the workflows and returns the activities that
// serve it.
func (w *work) activities(ctx context.Context) (*activities.Activities, error) {
	if err := connect.EnsureSearchAttributes(ctx, w.client, w.namespace); err != nil {
		return nil, err
	}
	temporal, err := connect.Identity(ctx, w.client, w.namespace)
	return &activities.Activities{
		Access:  w.access(),
		RootDir: w.options.RootDir, RootIdentity: w.options.RootIdentity, RootExport: w.options.RootExport, Unseen: w.options.Unseen, CFSSLKeys: w.options.CFSSLKeys, Channels: w.options.Channels,
		ChartDir: w.options.ChartDir, Temporal: temporal, Payloads: w.payloads,
	}, err
}

// access says how clusters are reached.
func (w *work) access() kube.Access {
	o := w.options
	return kube.Access{Dirs: o.KubeconfigDirs, Default: o.DefaultConfig, Management: o.Management, Plugins: o.Plugins, Providers: o.Providers, Wrap: w.wrap}
}

// watchFleets begins to reconcile the Fleets of the management cluster, where the options say so.
// What it returns waits until that has ended, which it does with the context.
func (w *work) watchFleets(ctx context.Context) (wait func()) {
	if w.options.WatchFleets == "" {
		return func() {}
	}
	ended := make(chan struct{})
	r := reconcile.Reconciler{Temporal: w.people, Log: w.logger, UI: func(ctx context.Context, fleet string) string {
		return connect.ChangesURL(ctx, w.client, w.connection, fleet)
	}}
	ctx, stop := context.WithCancel(ctx) // the worker may end by itself
	go func() {
		defer close(ended)
		reconcile.Watch(ctx, w.options.WatchFleets, r, w.access().WatchManagement)
	}()
	return func() { stop(); <-ended }
}

// worker makes a worker for one task queue with every workflow and activity. broken
// hears of what ends it for good.
func (w *work) worker(taskQueue string, acts *activities.Activities, broken func(error)) worker.Worker {
	s := worker.New(w.client, taskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: w.options.Parallel,
		WorkerStopTimeout:                  stopTimeout,
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		DeadlockDetectionTimeout:           taskTime,
		Interceptors:                       []interceptor.WorkerInterceptor{&activities.Classify{Metrics: w.metrics}, &workflows.Guard{}},
		DeploymentOptions:                  deployment(w.options),
		OnFatalError:                       broken,
	})
	workflows.Register(s)
	activities.Register(s, acts)
	return s
}

// deployment tells Temporal which build this is, and with --deployment that runs
// stay with it.
func deployment(o Options) worker.DeploymentOptions {
	if o.Deployment == "" {
		return worker.DeploymentOptions{Version: worker.WorkerDeploymentVersion{DeploymentName: noDeployment, BuildID: o.BuildID}}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: o.Deployment, BuildID: o.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}
}

// explain says what to do where the namespace is not there.
func (w *work) explain(err error) error {
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("Temporal has no namespace %q: make it with `temporal operator namespace create`, or name another with --namespace or TEMPORAL_NAMESPACE", missing.Namespace)
	}
	return err
}
