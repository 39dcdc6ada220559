// Package serve is a Landbridge worker: what the commands landbridge-worker and
// landbridge-standalone have in common.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/workflows"
)

// stopTimeout is how long activities may take to end when the worker is asked
// to stop: longer than a request to an API server.
const stopTimeout = 40 * time.Second

// heartbeatEvery is how old the news of a wait may be that people see. The SDK
// would hold them back for most of the heartbeat timeout.
const heartbeatEvery = 2 * time.Second

// Options say what a worker serves and what it may use.
type Options struct {
	TaskQueues     []string
	KubeconfigDirs []string
	DefaultConfig  bool
	RootDir        string
	NoRoot         bool
	ChartDir       string
	// Parallel is how many activities run at once, over all task queues.
	Parallel int
	// Deployment and BuildID put the worker under Temporal's worker versioning: a run
	// stays with the build that it began under. Empty: any worker goes on with any run.
	Deployment, BuildID string
	// Wrap goes around every connection to an API server; no flag sets it.
	Wrap transport.WrapperFunc
	// Metrics hear of every try of a step, where there are any; no flag sets it.
	Metrics *activities.Metrics
}

// Bind adds the options to a command.
func (o *Options) Bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.TaskQueues, "task-queue", []string{fleet.DefaultTaskQueue}, "task queue to serve; may be repeated")
	fs.StringArrayVar(&o.KubeconfigDirs, "kubeconfig-dir", nil, "directory with kubeconfigs that fleet files may name; may be repeated")
	fs.BoolVar(&o.DefaultConfig, "default-kubeconfig", false, "let fleet files name contexts of the default kubeconfig ($KUBECONFIG, or ~/.kube/config)")
	fs.StringVar(&o.RootDir, "root-dir", "", "directory that keeps root CAs (default "+filepath.Join("$XDG_STATE_HOME", "landbridge", "roots")+")")
	fs.BoolVar(&o.NoRoot, "no-root", false, "keep no roots: this worker serves clusters only")
	fs.StringVar(&o.ChartDir, "chart-dir", "", "directory below which fleet files may name chart directories")
	fs.StringVar(&o.Deployment, "deployment", "", "worker deployment of Temporal that this worker belongs to: runs stay with the build they began under")
	fs.StringVar(&o.BuildID, "build-id", build.Version(), "with --deployment: which build this is")
	fs.IntVar(&o.Parallel, "parallel", 50, "how many activities run at once")
}

// Complete fills in what depends on the machine, and says what is wrong.
func (o *Options) Complete() error {
	if len(o.KubeconfigDirs) == 0 && !o.DefaultConfig && o.NoRoot {
		return fmt.Errorf("this worker could do nothing: give --kubeconfig-dir or --default-kubeconfig, or let it keep roots")
	}
	for _, d := range o.KubeconfigDirs {
		if info, err := os.Stat(d); err != nil || !info.IsDir() {
			return fmt.Errorf("--kubeconfig-dir: %s is not a directory", d)
		}
	}
	if o.ChartDir != "" {
		if info, err := os.Stat(o.ChartDir); err != nil || !info.IsDir() {
			return fmt.Errorf("--chart-dir: %s is not a directory", o.ChartDir)
		}
	}
	if o.Parallel < 1 {
		return fmt.Errorf("--parallel: want at least 1, got %d", o.Parallel)
	}
	if o.Deployment != "" && o.BuildID == "" {
		return fmt.Errorf("--build-id: --deployment needs one, and this build has no version of its own")
	}
	if o.RootDir == "" && !o.NoRoot {
		dir, err := StateDir()
		if err != nil {
			return err
		}
		o.RootDir = filepath.Join(dir, "roots")
	}
	if o.NoRoot {
		o.RootDir = ""
	}
	return nil
}

// StateDir is where Landbridge keeps what must survive: $XDG_STATE_HOME or
// ~/.local/state, and landbridge below it.
func StateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the state directory: %w; set XDG_STATE_HOME", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "landbridge"), nil
}

// Run serves until the context ends, then lets running activities end. That it
// ends before it serves is no error: it was asked to.
func Run(ctx context.Context, c client.Client, namespace string, o Options, logger *slog.Logger) error {
	err := run(ctx, c, namespace, o, logger)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func run(ctx context.Context, c client.Client, namespace string, o Options, logger *slog.Logger) error {
	if err := connect.EnsureSearchAttributes(ctx, c, namespace); err != nil {
		return err
	}
	identity, err := connect.Identity(ctx, c, namespace)
	if err != nil {
		return err
	}
	acts := &activities.Activities{
		Access:  kube.Access{Dirs: o.KubeconfigDirs, Default: o.DefaultConfig, Wrap: o.Wrap},
		RootDir: o.RootDir, ChartDir: o.ChartDir, Temporal: identity,
	}
	var started []worker.Worker
	defer func() {
		for _, w := range started {
			w.Stop()
		}
	}()
	for _, q := range o.TaskQueues {
		w := New(c, q, acts, o)
		if err := w.Start(); err != nil {
			return fmt.Errorf("serve the task queue %s: %w", q, err)
		}
		started = append(started, w)
	}
	logger.Info("serving", "taskQueues", o.TaskQueues, "kubeconfigDirs", o.KubeconfigDirs, "defaultKubeconfig", o.DefaultConfig, "rootDir", o.RootDir)
	<-ctx.Done()
	logger.Info("stopping; running activities may take up to " + stopTimeout.String())
	return nil
}

// New is a worker for one task queue with every workflow and activity.
func New(c client.Client, taskQueue string, acts *activities.Activities, o Options) worker.Worker {
	how := worker.Options{
		MaxConcurrentActivityExecutionSize: o.Parallel,
		WorkerStopTimeout:                  stopTimeout,
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		Interceptors:                       []interceptor.WorkerInterceptor{&activities.Classify{Metrics: o.Metrics}},
	}
	if o.Deployment != "" {
		how.DeploymentOptions = worker.DeploymentOptions{
			UseVersioning:             true,
			Version:                   worker.WorkerDeploymentVersion{DeploymentName: o.Deployment, BuildID: o.BuildID},
			DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
		}
	}
	w := worker.New(c, taskQueue, how)
	workflows.Register(w)
	activities.Register(w, acts)
	return w
}
