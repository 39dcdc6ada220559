package serve

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

func TestMonitor_HealthReadinessAndMetrics_OnLoopback(t *testing.T) {
	f := newFrontend(t)
	p := start(t, "--address", f.address, "--listen", "127.0.0.1:0")
	url := "http://" + p.says(`health and metrics" address=(127\.0\.0\.1:\d+)`)
	p.says("msg=serving")
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "temporal_"} {
		code, body := get(t, url+path)
		require.Equal(t, http.StatusOK, code, path)
		require.True(t, strings.Contains(body, want), path)
	}
	_, metrics := get(t, url+"/metrics")
	for _, want := range []string{"go_goroutines", "process_start_time_seconds"} {
		require.True(t, strings.Contains(metrics, want), want)
	}
	res, err := http.Post(url+"/healthz", "text/plain", nil)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)

	// Temporal goes away: the process is well, and not ready.
	f.server.Stop()
	code, body := get(t, url+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "Temporal does not answer")
	code, _ = get(t, url+"/healthz")
	require.Equal(t, http.StatusOK, code)
}

func TestMonitor_OfAProgramThatIsStopping_IsNotReady(t *testing.T) {
	m, err := newMonitor("127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- m.Serve(ctx, nil) }()
	cancel()
	code, body := get(t, "http://"+m.Address()+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "stopping")
	m.Close()
	require.NoError(t, <-ended)
	again, err := newMonitor(m.Address())
	require.NoError(t, err, "it gives the address back")
	again.Close()
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestTelemetry_WithoutEndpointAndAddress_AddsNothing(t *testing.T) {
	for name, env := range map[string][2]string{
		"nothing is set":   {"OTEL_EXPORTER_OTLP_ENDPOINT", ""},
		"it is turned off": {"OTEL_SDK_DISABLED", "true"},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
		t.Setenv(env[0], env[1])
		tel, err := newTelemetry(context.Background(), "tested", "", quiet())
		require.NoError(t, err, name)
		var o client.Options
		tel.Client(&o)
		require.Empty(t, o.Interceptors, name)
		require.Nil(t, o.MetricsHandler, name)
		require.Nil(t, tel.Steps(), name)
		tel.Serve(context.Background(), nil)
		tel.Stop()
	}
}

func TestTelemetry_WithAnEndpoint_SendsTheLastSpansWhenItStops(t *testing.T) {
	var sent atomic.Int32
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/traces" && len(body) > 0 {
			sent.Add(1)
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	f := newFrontend(t)
	ctx := context.Background()
	tel, err := newTelemetry(ctx, "tested", "", quiet())
	require.NoError(t, err)
	o := client.Options{HostPort: f.address}
	tel.Client(&o)
	require.Len(t, o.Interceptors, 1)
	c, err := client.Dial(o)
	require.NoError(t, err)
	defer c.Close()
	_, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "q", ID: "traced"}, "Traced")
	require.Error(t, err, "this server starts nothing, and the span says so")
	require.Zero(t, sent.Load(), "spans are sent in batches")
	tel.Stop()
	require.EqualValues(t, 1, sent.Load())
}

func TestTelemetry_ToACollectorThatIsGone_DoesNotHoldTheProgram(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	f := newFrontend(t)
	p := start(t, "--address", f.address)
	p.says("msg=serving")
	p.end()
	began := time.Now()
	require.Equal(t, ExitEnded, p.exit(), p)
	require.Less(t, time.Since(began), 2*flushTimeout)
}
