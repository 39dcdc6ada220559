package activities

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/notify"
)

// notified runs the activity in a worker that knows one channel, and returns what it logged.
func notified(t *testing.T, url, channel string) (out api.NotifyResult, logged string, err error) {
	t.Helper()
	channels, err := notify.Parse([]byte("oncall: {url: \"" + url + "/hook/XXXXXXXXXXXX\"}\n"))
	require.NoError(t, err)
	var lines bytes.Buffer
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(FailureOnce(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&lines, nil)))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{}}})
	a := &Activities{Channels: channels}
	env.RegisterActivity(a)
	v, err := env.ExecuteActivity(a.Notify, api.NotifyInput{
		ClusterRef: api.ClusterRef{Fleet: "prod", TaskQueue: "landbridge", Run: "run-1", Request: fleet.Request{Reason: "CHG-7", RequestedBy: "anna"}},
		Channel:    channel, ID: "landbridge_prod_notify_oncall_done_run-1", Event: fleet.OnDone, What: "rollout", Workflow: "landbridge.prod",
		At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Text: "the rollout of the fleet prod is done"})
	if err == nil {
		require.NoError(t, v.Get(&out))
	}
	return out, lines.String(), err
}

func TestNotify_TheWebhookTakesIt_HasAllThatTheRunTells(t *testing.T) {
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	defer s.Close()
	out, _, err := notified(t, s.URL, "oncall")
	require.NoError(t, err)
	require.Equal(t, api.NotifyResult{Channel: "oncall", Tries: 1}, out)
	var n notify.Notification
	require.NoError(t, json.Unmarshal(body, &n))
	require.Equal(t, notify.Notification{Event: "done", Fleet: "prod", What: "rollout", Workflow: "landbridge.prod", Run: "run-1",
		At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Reason: "CHG-7", RequestedBy: "anna", Text: "the rollout of the fleet prod is done"}, n)
}

func TestNotify_TheWorkersDoNotKnowTheChannel_SaysWhereItBelongs(t *testing.T) {
	_, _, err := notified(t, "https://hooks.example.com", "audit")
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
	require.Equal(t, api.TypeInvalid, app.Type())
	require.Equal(t, "the workers of task queue landbridge know no channel audit: add it to the file of --notify-file", app.Message())
}

// Temporal tries again what may do better, and neither it nor the log ever sees the URL.
func TestNotify_EachFailure_IsTriedAgainOrNot(t *testing.T) {
	status := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no such hook: "+r.URL.Path)
	}))
	defer s.Close()
	for code, want := range map[int]string{404: api.TypeInvalid, 400: api.TypeInvalid, 410: api.TypeInvalid,
		302: api.TypeUnreachable, 408: api.TypeUnreachable, 425: api.TypeUnreachable, 429: api.TypeUnreachable, 503: api.TypeUnreachable} {
		status = code
		_, logged, err := notified(t, s.URL, "oncall")
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.Equal(t, want, app.Type(), code)
		require.Equal(t, want == api.TypeInvalid, app.NonRetryable(), code)
		require.Contains(t, logged, "ErrorType="+want)
		for _, text := range []string{logged, err.Error()} {
			require.NotContains(t, text, "XXXXXX")
		}
	}
	s.Close()
	_, logged, err := notified(t, s.URL, "oncall")
	require.ErrorContains(t, err, "does not answer")
	require.NotContains(t, logged+err.Error(), "XXXXXX")
}
