package serve

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"github.com/landbridge/landbridge/activities"
)

// flushTimeout bounds how long a stopping process tries to send its last spans.
const flushTimeout = 5 * time.Second

// telemetry tells what the process does: health and metrics where it listens, and
// traces where OpenTelemetry's variables say.
type telemetry struct {
	monitor *monitor // nil: it does not listen
	tracing interceptor.ClientInterceptor
	flush   func(context.Context) error
	logger  *slog.Logger
}

// newTelemetry begins to listen at an address, or nowhere where it is empty. Traces
// carry the service's name.
func newTelemetry(ctx context.Context, service, address string, logger *slog.Logger) (*telemetry, error) {
	t := &telemetry{logger: logger}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("telemetry is incomplete", "error", err) }))
	var err error
	if t.tracing, t.flush, err = newTracing(ctx, service); err != nil {
		return nil, err
	}
	if address != "" {
		t.monitor, err = newMonitor(address)
	}
	return t, err
}

// Steps returns what the worker's activities report to, or nil.
func (t *telemetry) Steps() *activities.Metrics {
	if t.monitor == nil {
		return nil
	}
	return t.monitor.steps
}

// Client has a Temporal client report too.
func (t *telemetry) Client(o *client.Options) {
	if t.monitor != nil {
		o.MetricsHandler = t.monitor.handler
	}
	if t.tracing != nil {
		o.Interceptors = append(o.Interceptors, t.tracing)
	}
}

// Serve answers in the background until Stop.
func (t *telemetry) Serve(ctx context.Context, c client.Client) {
	if t.monitor == nil {
		return
	}
	t.logger.Info("health and metrics", "address", t.monitor.Address())
	go func() {
		if err := t.monitor.Serve(ctx, c); err != nil {
			t.logger.Error("health and metrics are gone", "error", err)
		}
	}()
}

// Stop sends what is left and gives the address back.
func (t *telemetry) Stop() {
	if t.monitor != nil {
		t.monitor.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.flush(ctx); err != nil {
		t.logger.Warn("the last spans were not sent", "error", err)
	}
}
