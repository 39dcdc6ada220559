package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// serveWith starts a worker that calls its build by that ID, and returns a function that
// stops it as an upgrade does, with SIGTERM.
func (w *world) serveWith(t testing.TB, build string, args ...string) (stop func()) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(bin("landbridge-worker"), append([]string{"--build-id", build, "--address", fmt.Sprintf("127.0.0.1:%d", w.port), "--kubeconfig-dir", w.lab.Dir,
		"--root-dir", filepath.Join(w.dir, "roots"), "--listen", ""}, args...)...)
	cmd.Env = append(os.Environ(), w.workerEnv...)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			require.NoError(t, cmd.Wait(), "the worker must end well:\n%s", log.String())
		}
	}
	t.Cleanup(stop)
	return stop
}

func (w *world) client(t testing.TB) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.port), Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// sailWorks makes Sail take its time until w.behave() ends that.
func (w *world) sailWorks() { w.behave("--sail-delay", "1h") }

// untilSail waits until a rollout of the clusters waits for Sail on each of them.
func (w *world) untilSail(t *testing.T, names ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		out, _ := w.try("status", "test")
		return strings.Count(out, "wait for istio") == len(names)
	}, patience, 300*time.Millisecond)
}

// sailDone waits until Sail is done with each of the clusters.
func (w *world) sailDone(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		sailCluster{t, w.connect(name)}.until(istios, "default", isHealthy)
	}
}

func TestUpgrade_ARolloutBegunUnderOneBuild_ContinuesUnderTheNext(t *testing.T) {
	w := stillWorld(t)
	w.startWith("--task-queue", "nobodys", "--kubeconfig-dir", w.lab.Dir)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	stop := w.serveWith(t, "build-1")
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	stop()
	w.serveWith(t, "build-2")
	w.behave()
	w.must("rollout", "-f", file) // joins it
	w.must("cleanup", "-f", file)
	same()
}

// Under worker versioning a run ends on the build that it began on, and a run that begins
// after the next build became current begins there.
func TestUpgrade_UnderWorkerVersioning_ARunStaysWithItsBuild(t *testing.T) {
	w := stillWorld(t)
	w.startWith("--task-queue", "nobodys", "--kubeconfig-dir", w.lab.Dir)
	c := w.client(t)
	const deployment = "landbridge"
	current := func(id string) {
		require.Eventually(t, func() bool {
			_, err := c.WorkerDeploymentClient().GetHandle(deployment).SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: id})
			return err == nil
		}, patience, 500*time.Millisecond)
	}
	version := func() worker.WorkerDeploymentVersion {
		d, err := c.DescribeWorkflowExecution(ctx, "landbridge.test", "")
		require.NoError(t, err)
		info := d.GetWorkflowExecutionInfo().GetVersioningInfo()
		require.Equal(t, enumspb.VERSIONING_BEHAVIOR_PINNED, info.GetBehavior())
		return worker.WorkerDeploymentVersion{DeploymentName: info.GetDeploymentVersion().GetDeploymentName(), BuildID: info.GetDeploymentVersion().GetBuildId()}
	}
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.serveWith(t, "build-1", "--deployment", deployment)
	current("build-1")
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	w.serveWith(t, "build-2", "--deployment", deployment)
	current("build-2")
	w.behave()
	w.must("rollout", "-f", file)
	require.Equal(t, "build-1", version().BuildID)
	w.must("cleanup", "-f", file)
	require.Equal(t, "build-2", version().BuildID)
}
