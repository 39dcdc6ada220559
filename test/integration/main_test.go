// Package integration runs the built commands, as a user would, on real API
// servers and a real Temporal. It needs `make build`.
package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/test/lab"
)

func TestMain(m *testing.M) {
	if tool := os.Getenv(guideTool); tool != "" {
		runGuideTool(tool, os.Args[1:])
		return
	}
	if victim := os.Getenv(helmVictim); victim != "" {
		what := strings.Split(victim, "\n")
		runHelmVictim(what[0], what[1], what[2])
		return
	}
	if os.Getenv(asCFSSL) != "" {
		os.Exit(beCFSSL())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "landbridge-integration-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	labsDir = dir
	defer func() {
		found, _ := filepath.Glob(filepath.Join(dir, "*", "lab.json"))
		for _, f := range found {
			if out, err := exec.Command(bin("lab"), "down", "--dir", filepath.Dir(f)).CombinedOutput(); err != nil {
				fmt.Fprintln(os.Stderr, string(out))
			}
		}
	}()
	return m.Run()
}

func bin(name string) string {
	p, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err != nil {
		panic(err)
	}
	return p
}

// world runs one Temporal with a worker, and keeps the root directory of that worker.
type world struct {
	t       testing.TB
	lab     *lab.Lab
	dir     string
	port    int
	process *exec.Cmd
	// env adds variables to the test's own for the standalone process, workerEnv for
	// other workers.
	env, workerEnv []string
	// keyFile encrypts what Temporal keeps, for the process and for commands.
	keyFile string
	log     *bytes.Buffer
	// lastFile names the newest fleet file.
	lastFile string
	outputs  bytes.Buffer // everything that the commands printed, for the search for secrets
}

// newWorld starts landbridge-standalone on the lab's kubeconfigs.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := stillWorld(t)
	w.start()
	return w
}

// stillWorld takes a lab and starts nothing: the test starts Temporal in its own way, and
// for its own kubeconfigs.
func stillWorld(t testing.TB) *world {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	l, since := takeLab(t), time.Now()
	t.Cleanup(func() {
		giveLab(t, l)
		t.Logf("had a lab for %.0f s", time.Since(since).Seconds())
	})
	return worldOn(t, l)
}

// worldOn returns a world on a lab, in which nothing runs yet.
func worldOn(t testing.TB, l *lab.Lab) *world {
	t.Helper()
	w := &world{t: t, lab: l, dir: t.TempDir(), port: freePort(t)}
	t.Cleanup(w.stop)
	t.Cleanup(w.rescue)
	return w
}

// rescue cleans the clusters for the next test when this one failed, whatever was
// left of its Temporal and its workers.
func (w *world) rescue() {
	w.behave()
	if !w.t.Failed() || w.lastFile == "" {
		return
	}
	w.stop()
	w.start()
	file := filepath.Join(w.dir, "rescue.yaml")
	if text, err := os.ReadFile(w.lastFile); err != nil {
		w.t.Log(err)
	} else if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("approval: waves"), []byte("approval: none")), 0o600); err != nil {
		w.t.Log(err)
	}
	if out, code := w.try("cleanup", "-f", file, "--take-over", "--force"); code != 0 {
		w.t.Logf("the cleanup after the failure failed too:\n%s", out)
	}
}

func (w *world) start() {
	w.t.Helper()
	w.startWith("--kubeconfig-dir", w.lab.Dir)
}

func (w *world) startWith(args ...string) {
	w.t.Helper()
	w.log = &bytes.Buffer{}
	w.process = exec.Command(bin("landbridge-standalone"), append([]string{"--state-dir", filepath.Join(w.dir, "temporal"),
		"--root-dir", filepath.Join(w.dir, "roots"), "--port", fmt.Sprint(w.port), "--no-ui"}, args...)...)
	w.process.Env = append(append(os.Environ(), codec.Variable+"="+w.keyFile, "GOMAXPROCS=1"), w.env...)
	w.process.Stderr, w.process.Stdout = w.log, w.log
	require.NoError(w.t, w.process.Start())
	for end := time.Now().Add(patience); ; {
		out, _ := w.try("status", "nobody")
		if strings.Contains(out, "knows nothing of a fleet") {
			return
		}
		require.True(w.t, time.Now().Before(end), "standalone does not answer:\n%s", w.log)
		time.Sleep(200 * time.Millisecond)
	}
}

func (w *world) stop() {
	if w.process == nil {
		return
	}
	_ = w.process.Process.Signal(syscall.SIGTERM)
	_ = w.process.Wait()
	w.process = nil
}

func (w *world) kill() {
	require.NoError(w.t, w.process.Process.Kill())
	_ = w.process.Wait()
	w.process = nil
}

// patience is how long the tests wait for a command, or for what must come: longer than it
// takes on a machine that is short of cores, since how long it took is nothing that a test may
// fail by. Kubernetes' ReplicaSet controller alone pauses for minutes after a pod that was
// refused. pause is the time between two looks.
const (
	patience = 6 * time.Minute
	pause    = time.Second
)

// try runs a landbridge command and returns what it printed and its exit code.
func (w *world) try(args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := w.command(ctx, args...).CombinedOutput()
	w.outputs.Write(out)
	require.NotContains(w.t, string(out), "\x1b", "an escape code went into a pipe")
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	require.NoError(w.t, err)
	return string(out), 0
}

// command returns a landbridge command that finds this world's Temporal. As a script, it
// says yes to what destroys.
func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	if args[0] == "cleanup" || slices.Contains(args, "--prune") || slices.Contains(args, "--force-conflicts") && args[0] == "rollout" {
		args = append(args, "--yes")
	}
	cmd := exec.CommandContext(ctx, bin("landbridge"), args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("TEMPORAL_ADDRESS=127.0.0.1:%d", w.port), codec.Variable+"="+w.keyFile)
	return cmd
}

// must runs a landbridge command that has to end with exit code 0, and returns what it
// printed.
func (w *world) must(args ...string) string {
	w.t.Helper()
	out, code := w.try(args...)
	if code != 0 {
		status, _ := w.try("status", "test") // shows the last step, where the command did not end
		require.Zero(w.t, code, "landbridge %s\n%s\n%s", strings.Join(args, " "), out, status)
	}
	return out
}

// proof skips the proof in the fleet file where nodes allow none.
func (w *world) proof() string {
	if w.lab.Nodes == lab.NodesKWOK {
		return ", skipProof: true"
	}
	return ""
}

// file writes a fleet file, and returns its path.
func (w *world) file(names []string, edit ...string) string {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: test}\nspec:\n  ca: {keyAlgorithm: ECDSA-P256}\n  gateways: {loadBalancerTimeout: 60s}\n  rollout: {stepTimeout: 2m" + w.proof() + "}\n  clusters:\n")
	for _, n := range names {
		fmt.Fprintf(&b, "  - {name: %s, network: %s-network, kubeconfig: {path: %s.kubeconfig}}\n", n, n, n)
	}
	b.WriteString("  links: mesh\n")
	text := b.String()
	for i := 0; i+1 < len(edit); i += 2 {
		require.Contains(w.t, text, edit[i])
		text = strings.ReplaceAll(text, edit[i], edit[i+1])
	}
	path := filepath.Join(w.t.TempDir(), "fleet.yaml")
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
	w.lastFile = path
	return path
}

// behave changes how the lab's cloud and Sail act; without arguments they work.
func (w *world) behave(args ...string) {
	t := w.t
	t.Helper()
	base := append([]string{"behave", "--dir", w.lab.Dir}, lab.Quick...)
	out, err := exec.Command(bin("lab"), append(base, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := lab.FreePort()
	require.NoError(t, err)
	return port
}

func httpGet(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	require.NoError(t, err)
	return res.StatusCode, b.String()
}
