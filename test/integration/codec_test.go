package integration

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/workflows"
)

// Whoever hosts Temporal sees which fleets and clusters there are and what runs, and nothing
// of what is in them; the commands and the UI on this machine show all of it.
func TestCodec_HistoriesShowNothingAndTheUIStillShowsText(t *testing.T) {
	w := stillWorld(t)
	w.keyFile = filepath.Join(t.TempDir(), "codec.keys")
	w.must("codec", "keygen", w.keyFile)
	ui, endpoint := freePort(t), freePort(t)
	args := []string{"--kubeconfig-dir", w.lab.Dir, "--no-ui=false", "--ui-port", fmt.Sprint(ui), "--codec-port", fmt.Sprint(endpoint)}
	w.startWith(args...)
	same := w.unchanged("east", "west")
	out, code := w.try("rollout", "-f", w.file([]string{"east", "west"}, "west.kubeconfig", "nowhere.kubeconfig"))
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "nowhere.kubeconfig", "a failure is shown as it is without encryption")
	file := w.file([]string{"east", "west"}, ", skipProof: true}", ", skipProof: true, approval: waves, waves: [{name: canary, clusters: [east]}]}")
	require.Contains(t, w.must("plan", "-f", file), "east")
	w.must("rollout", "-f", file, "--detach", "--reason", "CHG-7")
	w.untilStatus(t, "wave rest waits")
	old := w.keyFile
	w.withoutTheKeyACommandSaysWhichOne(t, old, file)

	// A new key: the worker refuses what it encrypted until it has it, too.
	w.keyFile = filepath.Join(t.TempDir(), "rotated.keys")
	text, err := os.ReadFile(old)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.keyFile, text, 0o600))
	w.must("codec", "keygen", w.keyFile)
	w.refusesWhatTheWorkerCannotOpen(t)
	w.stop()
	w.startWith(args...)
	require.Contains(t, w.must("approve", "test", "--wave", "rest", "--reason", "the canary is secretly good"), "wave rest begins")
	w.must("watch", "test")
	require.Contains(t, w.must("status", "test"), "approve wave rest")
	require.Contains(t, w.must("report", "test", "-o", "json"), "the canary is secretly good")
	for _, id := range keysIn(t, w.keyFile).IDs() {
		require.Contains(t, w.usedKeys(t), id, "both keys are needed")
	}
	w.requireNothingShows(t)
	w.requireTheUIShows(t, ui, endpoint)
	w.requireReplay(t)

	w.must("cleanup", "-f", file, "--detach")
	w.untilStatus(t, "wave canary waits")
	w.must("approve", "test", "--wave", "canary", "--reason", "the end")
	w.must("watch", "test")
	w.requireNothingShows(t)
	same()
}

func keysIn(t *testing.T, file string) *codec.Keys {
	t.Helper()
	keys, err := codec.Load(file)
	require.NoError(t, err)
	return keys
}

// withoutTheKeyACommandSaysWhichOne asks without a key file and with another key.
func (w *world) withoutTheKeyACommandSaysWhichOne(t *testing.T, file, fleet string) {
	id := keysIn(t, file).IDs()[0]
	other := filepath.Join(t.TempDir(), "other.keys")
	w.must("codec", "keygen", other)
	for _, keyFile := range []string{"", other} {
		w.keyFile = keyFile
		for _, args := range [][]string{{"status", "test"}, {"report", "test", "--out", "-"}, {"plan", "-f", fleet}, {"rollout", "-f", fleet},
			{"approve", "test", "--wave", "rest", "--reason", "x"}, {"gather", "test"}, {"schedule", "-f", fleet}, {"drift", "test"}} {
			out, code := w.try(args...)
			require.Equal(t, 1, code, "%s: %s", args, out)
			require.Contains(t, out, "encrypted with the key "+id, args)
			require.Contains(t, out, "--codec-key-file", args)
			require.Equal(t, 1, strings.Count(out, "\n"), "%s: %s", args, out)
		}
	}
	w.keyFile = file
}

// refusesWhatTheWorkerCannotOpen decides with a key that the worker lacks.
func (w *world) refusesWhatTheWorkerCannotOpen(t *testing.T) {
	out, code := w.try("approve", "test", "--wave", "rest", "--reason", "with another key")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "approve is refused: ")
	require.Contains(t, out, "encrypted with the key "+keysIn(t, w.keyFile).IDs()[0]+", which ")
	require.NotContains(t, w.log.String(), "goroutine")
	require.Contains(t, w.must("status", "test"), "wave rest waits", "nobody's rollout is held up")
}

// histories returns all that Temporal keeps of runs, as whoever hosts it reads it.
func (w *world) histories(t *testing.T) map[string]*historypb.History {
	t.Helper()
	c := w.client(t)
	out := map[string]*historypb.History{}
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	require.NoError(t, err)
	for _, e := range list.GetExecutions() {
		h := &historypb.History{}
		events := c.GetWorkflowHistory(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			h.Events = append(h.Events, event)
		}
		out[e.GetExecution().GetWorkflowId()+" "+e.GetExecution().GetRunId()] = h
	}
	require.Greater(t, len(out), 4, "the fleet, its clusters and its links")
	return out
}

// usedKeys returns the IDs of the keys of all payloads.
func (w *world) usedKeys(t *testing.T) (ids string) {
	for _, h := range w.histories(t) {
		eachPayload(t, h, func(_ proto.Message, p *commonpb.Payload) { ids += string(p.GetMetadata()[codec.MetadataKeyID]) + " " })
	}
	return ids
}

func eachPayload(t *testing.T, m proto.Message, look func(proto.Message, *commonpb.Payload)) {
	t.Helper()
	require.NoError(t, proxy.VisitPayloads(ctx, m, proxy.VisitPayloadsOptions{SkipSearchAttributes: true,
		Visitor: func(c *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for _, p := range all {
				look(c.Parent, p)
			}
			return all, nil
		}}))
}

// requireNothingShows looks at each payload and failure of each history, and then for words
// of the fleet file and of its clusters in all that Temporal has on disk.
func (w *world) requireNothingShows(t *testing.T) {
	t.Helper()
	payloads, failures := 0, 0
	for id, h := range w.histories(t) {
		eachPayload(t, h, func(in proto.Message, p *commonpb.Payload) {
			payloads++
			require.Equal(t, codec.Encoding, string(p.GetMetadata()["encoding"]), "%s: %s", id, in)
		})
		require.NoError(t, proxy.VisitFailures(ctx, h, proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			failures++
			require.Equal(t, "Encoded failure", f.GetMessage(), id)
			require.Empty(t, f.GetStackTrace(), id)
			return nil
		}}))
	}
	t.Logf("%d payloads and %d failures", payloads, failures)
	require.Greater(t, payloads, 100)
	require.Positive(t, failures)
	for _, name := range []string{"temporal.db", "temporal.db-wal"} {
		data, err := os.ReadFile(filepath.Join(w.dir, "temporal", name))
		require.NoError(t, err)
		for _, word := range []string{"east-network", "east.kubeconfig", "nowhere", "istio-remote-secret", "BEGIN CERTIFICATE", "secretly"} {
			require.False(t, bytes.Contains(data, []byte(word)), "%s has %q", name, word)
		}
	}
}

// requireTheUIShows asks as the UI's page does, for what its settings and its API give it.
func (w *world) requireTheUIShows(t *testing.T, ui, endpoint int) {
	t.Helper()
	from := fmt.Sprintf("http://127.0.0.1:%d", ui)
	at := fmt.Sprintf("http://127.0.0.1:%d", endpoint)
	require.Contains(t, fetch(t, from+"/api/v1/settings"), `"Codec":{"Endpoint":"`+at+`"`)
	var h workflowservice.GetWorkflowExecutionHistoryResponse
	require.NoError(t, (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(fetch(t, from+"/api/v1/namespaces/default/workflows/landbridge.test/history")), &h))
	all := &commonpb.Payloads{}
	eachPayload(t, h.GetHistory(), func(_ proto.Message, p *commonpb.Payload) { all.Payloads = append(all.Payloads, p) })
	body, err := protojson.Marshal(all)
	require.NoError(t, err)
	for origin, want := range map[string]int{from: http.StatusOK, "https://example.com": http.StatusForbidden, at: http.StatusForbidden} {
		status, answer := decode(t, at, origin, body)
		require.Equal(t, want, status, "%s: %s", origin, answer)
		if want != http.StatusOK {
			continue
		}
		var plain commonpb.Payloads
		require.NoError(t, protojson.Unmarshal(answer, &plain))
		text := ""
		for _, p := range plain.Payloads {
			text += string(p.GetData())
		}
		for _, word := range []string{"RolloutFleet test", "east-network", "east.kubeconfig"} {
			require.Contains(t, text, word)
		}
	}
}

// requireReplay repeats each workflow from its history, as a test of another build does: with
// the keys, and not with another one.
func (w *world) requireReplay(t *testing.T) {
	t.Helper()
	for id, h := range w.histories(t) {
		require.NoError(t, replay(keysIn(t, w.keyFile), id, h), id)
		require.ErrorContains(t, replay(&codec.Keys{}, id, h), "encrypted with the key ", id)
	}
}

func replay(keys *codec.Keys, id string, h *historypb.History) error {
	o := client.Options{Logger: silent{}}
	keys.Use(&o)
	codec.ForWorker(&o)
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: o.DataConverter, FailureConverter: o.FailureConverter})
	if err != nil {
		return err
	}
	workflows.Register(r)
	of, run, _ := strings.Cut(id, " ")
	return r.ReplayWorkflowHistoryWithOptions(silent{}, proto.CloneOf(h), worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: of, RunID: run}})
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", data)
	return string(data)
}

func decode(t *testing.T, endpoint, origin string, body []byte) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, endpoint+"/decode?preserveStorageRefs=true", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Origin", origin)
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, data
}
