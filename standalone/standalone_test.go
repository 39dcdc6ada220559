package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/worker/serve"
)

// The whole program: Temporal, its UI and a worker that Temporal knows, all on
// loopback only; what it was told before it was stopped, it knows after.
func TestStandalone_StoppedAndStartedAgain_ContinuesWhereItWas(t *testing.T) {
	dir, ports := t.TempDir(), freePorts(t, 3)
	args := []string{"--state-dir", filepath.Join(dir, "temporal"), "--root-dir", filepath.Join(dir, "roots"), "--port", ports[0], "--ui-port", ports[1],
		"--listen", "127.0.0.1:" + ports[2], "--kubeconfig-dir", dir, "--build-id", "b1"}
	s := start(args...)
	s.says(t, "msg=serving")
	for _, want := range []string{"Temporal     127.0.0.1:" + ports[0], "Temporal UI  http://127.0.0.1:" + ports[1], "Database     " + filepath.Join(dir, "temporal")} {
		require.Contains(t, s.out.String(), want)
	}
	require.Contains(t, body(t, "http://127.0.0.1:"+ports[1]+"/"), `<script>`)
	require.Contains(t, body(t, "http://127.0.0.1:"+ports[1]+"/api/v1/namespaces/default"), `"workflowExecutionRetentionTtl": "31536000s"`, "an auditor asks months later")
	require.Equal(t, "ok\n", body(t, "http://127.0.0.1:"+ports[2]+"/readyz"))
	onlyOnLoopback(t, ports)
	onlyUnderItsOwnNames(t, ports[1])

	c := dial(t, ports[0])
	knowsTheWorker(t, c)
	require.Equal(t, "http://127.0.0.1:"+ports[1]+"/namespaces/default/workflows?query=WorkflowId%3D%22landbridge.prod%22",
		connect.ChangesURL(t.Context(), c, client.Options{}, "prod"))
	onlyOwn(t, filepath.Join(dir, "temporal", "temporal.db-wal")) // SQLite's write-ahead log: one sync for each commit
	knowsTheSearchAttributes(t, c)
	before := startWaiting(t, c)
	elsewhere(t, "127.0.0.1:"+ports[0])
	c.Close()
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)

	s = start(args...)
	s.says(t, "msg=serving")
	c = dial(t, ports[0])
	d, err := c.DescribeWorkflowExecution(t.Context(), before, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.WorkflowExecutionInfo.Status)
	c.Close()
	refusesASecond(t, args)
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)
	onlyOwn(t, filepath.Join(dir, "temporal", "temporal.db"))
}

func onlyOwn(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func body(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode, url)
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	require.NoError(t, err)
	return b.String()
}

// onlyOnLoopback knocks at the ports on every other address of this machine.
func onlyOnLoopback(t *testing.T, ports []string) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addresses {
		ip := a.(*net.IPNet).IP
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			continue
		}
		for _, port := range ports {
			c, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), port), time.Second)
			if err == nil {
				c.Close()
			}
			require.Error(t, err, "%s answers at %s", port, ip)
		}
	}
}

// onlyUnderItsOwnNames asks the UI for data as a browser does for a page whose name leads here.
func onlyUnderItsOwnNames(t *testing.T, port string) {
	t.Helper()
	for host, want := range map[string]int{"localhost:" + port: http.StatusOK, "[::1]:" + port: http.StatusOK, "localhost:9999": http.StatusOK, "localhost": http.StatusOK,
		"rebound.example.com:" + port: http.StatusForbidden, "rebound.example.com": http.StatusForbidden, "127.0.0.1.example.com": http.StatusForbidden} {
		req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+"/api/v1/namespaces/default/workflows", nil)
		require.NoError(t, err)
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, want, res.StatusCode, host)
	}
}

func dial(t *testing.T, port string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: "127.0.0.1:" + port, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	return c
}

// knowsTheWorker looks where Temporal's UI and CLI list the workers of a task queue.
func knowsTheWorker(t *testing.T, c client.Client) {
	t.Helper()
	host, err := os.Hostname()
	require.NoError(t, err)
	identity := fmt.Sprintf("landbridge-standalone@%s:%d", host, os.Getpid())
	var seen string
	require.Eventually(t, func() bool {
		r, err := c.DescribeTaskQueue(t.Context(), "landbridge", enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return false
		}
		for _, p := range r.Pollers {
			seen = fmt.Sprint(p)
			if p.Identity == identity && p.DeploymentOptions.GetBuildId() == "b1" && p.DeploymentOptions.GetWorkerVersioningMode() == enumspb.WORKER_VERSIONING_MODE_UNVERSIONED {
				return true
			}
		}
		return false
	}, limit, 50*time.Millisecond, "%s, build b1, in %s", identity, &seen)
}

func knowsTheSearchAttributes(t *testing.T, c client.Client) {
	t.Helper()
	for name := range connect.SearchAttributes() {
		_, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: name + ` = "nothing"`})
		require.NoError(t, err, name)
	}
}

// startWaiting starts a workflow that no worker takes, and returns its ID.
func startWaiting(t *testing.T, c client.Client) string {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "waiting", TaskQueue: "nobodys"}, "Waiting")
	require.NoError(t, err)
	return run.GetID()
}

// elsewhere asks a worker to serve a namespace that this Temporal does not have.
func elsewhere(t *testing.T, address string) {
	t.Helper()
	worker := serve.Program{Name: "worker", Temporal: &serve.Elsewhere{}}
	var out output
	require.Equal(t, serve.ExitFailed, worker.Run(t.Context(), []string{"--address", address, "--namespace", "lost"}, &out, &out))
	require.Contains(t, out.String(), `Temporal has no namespace "lost"`)
}

func refusesASecond(t *testing.T, args []string) {
	t.Helper()
	var other []string
	for _, a := range args {
		if _, err := strconv.Atoi(a); err == nil {
			a = freePorts(t, 1)[0]
		}
		if strings.HasPrefix(a, "127.0.0.1:") {
			a = "127.0.0.1:0"
		}
		other = append(other, a)
	}
	second := start(other...)
	require.Equal(t, serve.ExitFailed, second.exit(t), &second.out)
	require.Contains(t, second.out.String(), "another landbridge-standalone uses")
	require.Contains(t, second.out.String(), "--state-dir")
}

func TestStandalone_AskedToEndWhileItStarts_EndsWell(t *testing.T) {
	dir, port := t.TempDir(), freePorts(t, 1)[0]
	s := start("--state-dir", dir, "--root-dir", dir, "--no-ui", "--port", port)
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(dir, "temporal.db")); return err == nil }, limit, time.Millisecond)
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)
	require.NotContains(t, s.out.String(), "msg=serving")
	// What it left can be started again.
	s = start("--state-dir", dir, "--root-dir", dir, "--no-ui", "--port", port)
	s.says(t, "msg=serving")
	require.Contains(t, s.out.String(), "Temporal UI  none")
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)
}

func TestStandalone_DefaultPort_IsWhereCommandsLook(t *testing.T) {
	own := &ownTemporal{}
	program(own).Run(t.Context(), []string{"--help"}, &output{}, &output{})
	require.Equal(t, connect.DefaultAddress, fmt.Sprintf("127.0.0.1:%d", own.options.Port))
	require.Equal(t, "default", server.Namespace)
}
