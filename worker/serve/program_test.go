package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/landbridge/landbridge/internal/connect"
)

// limit bounds every wait of these tests.
const limit = 20 * time.Second

// process runs a program inside the test and collects what it prints.
type process struct {
	t   *testing.T
	end context.CancelFunc
	// code receives the exit code.
	code chan int
	mu   sync.Mutex
	out  bytes.Buffer
}

// Write implements io.Writer.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start runs a program as main would, with a home of its own.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, home)
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "OTEL_") && name != "OTEL_EXPORTER_OTLP_ENDPOINT" {
			t.Setenv(name, "")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{t: t, end: cancel, code: make(chan int, 1)}
	program := Program{Name: "tested", Short: "A program", Long: "A program.", Temporal: &Elsewhere{}}
	go func() { p.code <- program.Run(ctx, args, p, p) }()
	t.Cleanup(cancel)
	return p
}

func (p *process) exit() int {
	p.t.Helper()
	select {
	case code := <-p.code:
		return code
	case <-time.After(limit):
		require.Fail(p.t, "it does not end", p.String())
		return -1
	}
}

// says waits until the program has printed what a regular expression finds.
func (p *process) says(pattern string) string {
	p.t.Helper()
	r := regexp.MustCompile(pattern)
	for end := time.Now().Add(limit); ; {
		if m := r.FindStringSubmatch(p.String()); m != nil {
			return m[len(m)-1]
		}
		require.True(p.t, time.Now().Before(end), "it does not say %q:\n%s", pattern, p)
		time.Sleep(5 * time.Millisecond)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestProgram_ServesUntilItIsAskedToEnd_AndTemporalKnowsItsName(t *testing.T) {
	for name, c := range map[string]struct {
		args       []string
		deployment string
		build      string
		versioned  bool
	}{
		"any worker goes on with any run": {[]string{"--build-id", "b1"}, noDeployment, "b1", false},
		"a run stays with its build":      {[]string{"--deployment", "mine", "--build-id", "b2"}, "mine", "b2", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFrontend(t)
			p := start(t, append(c.args, "--address", f.address, "--task-queue", "east", "--task-queue", "west")...)
			queues := map[string]bool{}
			for len(queues) < 2 {
				select {
				case poll := <-f.polls:
					queues[poll.TaskQueue.Name] = true
					host, err := os.Hostname()
					require.NoError(t, err)
					require.Equal(t, fmt.Sprintf("tested@%s:%d", host, os.Getpid()), poll.Identity)
					require.Equal(t, c.deployment, poll.DeploymentOptions.DeploymentName)
					require.Equal(t, c.build, poll.DeploymentOptions.BuildId)
					require.Equal(t, c.versioned, poll.DeploymentOptions.WorkerVersioningMode == enumspb.WORKER_VERSIONING_MODE_VERSIONED)
				case <-time.After(limit):
					require.Fail(t, "no poll", p.String())
				}
			}
			require.Equal(t, map[string]bool{"east": true, "west": true}, queues)
			require.Equal(t, connect.SearchAttributes(), f.known())
			p.says("msg=serving")
			p.end()
			require.Equal(t, ExitEnded, p.exit(), p)
			require.Contains(t, p.String(), "running activities may take up to 40s")
		})
	}
}

func TestProgram_WhatItCannotDo_EndsItWithOneSentence(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer held.Close()
	well := newFrontend(t).address
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no Temporal":  {[]string{"--address", "127.0.0.1:1"}, []string{"no Temporal answers at 127.0.0.1:1", "--address"}},
		"a busy port":  {[]string{"--address", well, "--listen", held.Addr().String()}, []string{"--listen", "in use", "--listen ''"}},
		"no namespace": {[]string{"--address", well, "--namespace", "lost"}, []string{`no namespace "lost"`, "--namespace"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.args...)
			require.Equal(t, ExitFailed, p.exit(), p)
			for _, w := range c.want {
				require.Contains(t, lastLine(p), w)
			}
		})
	}
}

// lastLine returns what a person reads first.
func lastLine(p *process) string {
	lines := strings.Split(strings.TrimSpace(p.String()), "\n")
	return lines[len(lines)-1]
}

// The SDK gives a worker up after two minutes of refused polls, which is too long for
// a test: the SDK's call is made here.
func TestProgram_AWorkerThatTheSDKGivesUp_EndsIt(t *testing.T) {
	w := work{logger: quiet()}
	broken := make(chan error, 1)
	broken <- fmt.Errorf("serve the task queue q: %w", serviceerror.NewNamespaceNotFound("lost"))
	require.ErrorContains(t, w.wait(context.Background(), broken), `no namespace "lost"`)
	broken <- errors.New("serve the task queue q: too old")
	require.ErrorContains(t, w.wait(context.Background(), broken), "task queue q: too old")
}

func TestProgram_AskedToEndWhileItConnects_EndsWell(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	p := start(t, "--address", silent.Addr().String())
	connection, err := silent.Accept()
	require.NoError(t, err)
	defer connection.Close()
	p.end()
	require.Equal(t, ExitEnded, p.exit(), p)
	require.Contains(t, p.String(), "asked to end before it served")
}

func TestProgram_Help_NamesTheExitCodes(t *testing.T) {
	p := start(t, "--help")
	require.Equal(t, ExitEnded, p.exit())
	require.Contains(t, p.String(), "0 ended when asked to; 1 failed; 2 bad usage")
	p = start(t, "--version")
	require.Equal(t, ExitEnded, p.exit())
	require.Regexp(t, `^tested \S+\n$`, p.String())
}

func TestProgram_OwnFlags_AreThere(t *testing.T) {
	var own string
	program := Program{Name: "tested", Temporal: &Elsewhere{}, Flags: func(fs *pflag.FlagSet) { fs.StringVar(&own, "own", "", "") }}
	p := &process{t: t}
	require.Equal(t, ExitUsage, program.Run(context.Background(), []string{"--own", "x", "--parallel", "0"}, p, p))
	require.Equal(t, "x", own)
}
