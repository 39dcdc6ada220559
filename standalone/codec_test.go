package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/worker/serve"
)

// keyFile makes a file with a key.
func keyFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	_, err := codec.NewKey(file, false)
	require.NoError(t, err)
	return file
}

func dialWith(t *testing.T, port string, keys *codec.Keys) client.Client {
	t.Helper()
	o := client.Options{HostPort: "127.0.0.1:" + port, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))}
	keys.Use(&o)
	c, err := client.Dial(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// A worker that lacks the key is no reason for a workflow to fail: its task fails, the log
// says why, and a worker with the key goes on.
func TestStandalone_AWorkerWithoutTheKey_FailsNoWorkflow(t *testing.T) {
	dir, ports, file := t.TempDir(), freePorts(t, 4), keyFile(t)
	keys, err := codec.Load(file)
	require.NoError(t, err)
	args := []string{"--state-dir", filepath.Join(dir, "temporal"), "--root-dir", filepath.Join(dir, "roots"), "--port", ports[0], "--ui-port", ports[1],
		"--codec-port", ports[2], "--listen", "127.0.0.1:" + ports[3], "--kubeconfig-dir", dir}
	s := start(args...)
	s.says(t, "msg=serving")

	c := dialWith(t, ports[0], keys)
	f := fleet.Fleet{Metadata: fleet.Metadata{Name: "zulu"}}
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "drifting", TaskQueue: fleet.DefaultTaskQueue, StaticSummary: "DriftFleet zulu"},
		api.DriftFleet, api.FleetInput{Contract: api.Contract, Fleet: f})
	require.NoError(t, err)
	want := "encrypted with the key " + keys.IDs()[0] + ", and no key file is given"
	s.says(t, want)
	require.NotContains(t, s.out.String(), "goroutine", "one line, without a stack")
	for _, line := range lines(s.out.String()) {
		require.True(t, strings.Contains(line, want) || !strings.Contains(line, "level=ERROR"), line)
	}
	require.Eventually(t, func() bool { return strings.Contains(text(t, history(t, c, "drifting")), "WORKFLOW_TASK_FAILED") }, limit, 100*time.Millisecond)
	require.Contains(t, text(t, history(t, c, "drifting")), want, "the UI shows why, with no key at all")
	d, err := c.DescribeWorkflowExecution(t.Context(), "drifting", "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.WorkflowExecutionInfo.Status)
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)

	s = start(append(args, "--codec-key-file", file, "--encrypted-only")...)
	s.says(t, "msg=serving")
	require.Contains(t, s.out.String(), "Codec        http://127.0.0.1:"+ports[2]+"\n")
	require.Contains(t, s.out.String(), `msg="payloads are encrypted" key=`+keys.IDs()[0])
	c = dialWith(t, ports[0], keys)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// It has no cluster: how it ends is no matter here, but the worker has read what it was to do.
	err = c.GetWorkflow(ctx, "drifting", run.GetRunID()).Get(ctx, nil)
	require.NoError(t, ctx.Err(), "%v\n%s", err, &s.out)
	if err != nil {
		require.NotContains(t, err.Error(), "Encoded failure")
		require.NotContains(t, err.Error(), "encrypted")
	}
	forged, err := dialWith(t, ports[0], &codec.Keys{}).ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "forged", TaskQueue: fleet.DefaultTaskQueue},
		api.DriftFleet, api.FleetInput{Contract: api.Contract, Fleet: f})
	require.NoError(t, err)
	require.Error(t, forged.Get(ctx, nil))
	require.NoError(t, ctx.Err(), "it ends at once: %s", &s.out)
	require.ErrorContains(t, c.GetWorkflow(ctx, "forged", "").Get(ctx, nil), "nobody encrypted this")

	kept := text(t, history(t, c, "drifting"))
	require.NotContains(t, kept, "zulu")
	showsTextTo(t, ports, history(t, c, "drifting"))
	onlyOnLoopback(t, ports)
	s.end()
	require.Equal(t, serve.ExitEnded, s.exit(t), &s.out)
}

// history returns what Temporal keeps of a workflow, as whoever hosts it reads it.
func history(t *testing.T, c client.Client, id string) *historypb.History {
	t.Helper()
	h := &historypb.History{}
	events := c.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

func text(t *testing.T, h *historypb.History) string {
	t.Helper()
	data, err := protojson.Marshal(h)
	require.NoError(t, err)
	return string(data)
}

// showsTextTo asks as the UI does: where its settings say, for the input of a workflow.
func showsTextTo(t *testing.T, ports []string, h *historypb.History) {
	t.Helper()
	endpoint := "http://127.0.0.1:" + ports[2]
	require.Contains(t, body(t, "http://127.0.0.1:"+ports[1]+"/api/v1/settings"), `"Codec":{"Endpoint":"`+endpoint+`"`)
	input, err := protojson.Marshal(h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetInput())
	require.NoError(t, err)
	for origin, want := range map[string]int{"http://127.0.0.1:" + ports[1]: http.StatusOK, "http://localhost:" + ports[1]: http.StatusOK,
		"https://example.com": http.StatusForbidden, "http://127.0.0.1:" + ports[0]: http.StatusForbidden} {
		req, err := http.NewRequest(http.MethodPost, endpoint+"/decode?preserveStorageRefs=true", bytes.NewReader(input))
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, want, res.StatusCode, "%s: %s", origin, answer)
		if want == http.StatusOK {
			require.Equal(t, origin, res.Header.Get("Access-Control-Allow-Origin"))
			var out commonpb.Payloads
			require.NoError(t, protojson.Unmarshal(answer, &out))
			require.Contains(t, string(out.Payloads[0].Data), `"name":"zulu"`)
		}
	}
}

func TestStandalone_TheCodecPort_IsChecked(t *testing.T) {
	o := server.Options{Port: 1, UIPort: 2, CodecPort: 2}
	require.ErrorContains(t, o.Check(), "--codec-port: Temporal or its UI has port 2")
	o.CodecPort = 70000
	require.ErrorContains(t, o.Check(), "--codec-port")
	o.UIPort = 0 // nobody asks the endpoint
	require.NoError(t, o.Check())
}

// What is compressed is opened for the UI without a key, too; without a UI nobody asks.
func TestStandalone_WithoutAKey_TheUIHasCompressedPayloadsOpened(t *testing.T) {
	ports, large := freePorts(t, 2), strings.Repeat("east ", 10_000)
	own := &ownTemporal{tell: io.Discard}
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.Bind(fs)
	require.NoError(t, fs.Parse([]string{"--state-dir", t.TempDir(), "--port", ports[0], "--ui-port", ports[1]}))
	require.NoError(t, own.Complete())
	_, err := own.Dial(t.Context(), slog.New(slog.DiscardHandler), func(*client.Options) {})
	require.NoError(t, err)
	defer own.Stop()
	packed, err := new(codec.Keys).Codec().Encode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(large)}})
	require.NoError(t, err)
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: packed})
	require.NoError(t, err)
	require.Less(t, len(body), 1000)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, own.server.CodecAddress()+"/decode", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "http://127.0.0.1:"+ports[1])
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var opened commonpb.Payloads
	require.NoError(t, protojson.Unmarshal(answer, &opened), string(answer))
	require.Equal(t, large, string(opened.Payloads[0].GetData()))

	still := &ownTemporal{tell: io.Discard}
	fs = pflag.NewFlagSet("", pflag.ContinueOnError)
	still.Bind(fs)
	require.NoError(t, fs.Parse([]string{"--state-dir", t.TempDir(), "--port", ports[0], "--no-ui"}))
	require.NoError(t, still.Complete())
	require.Zero(t, still.options.CodecPort)
}

func TestFreePort_IsTheWantedOne_UnlessItIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	taken := l.Addr().(*net.TCPAddr).Port
	other, err := freePort(taken)
	require.NoError(t, err)
	require.NotEqual(t, taken, other)
	require.NoError(t, l.Close())
	wanted, err := freePort(taken)
	require.NoError(t, err)
	require.Equal(t, taken, wanted)
	other, err = freePort(taken, 1, taken)
	require.NoError(t, err)
	require.NotEqual(t, taken, other, "Temporal or its UI will have it")
}
