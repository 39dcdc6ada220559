package serve

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"github.com/landbridge/landbridge/activities"
)

// flushTimeout is how long a stopping process tries to get rid of its last spans.
const flushTimeout = 5 * time.Second

// Telemetry is what a process tells of itself: health and metrics where it
// listens, and traces where OpenTelemetry's variables say.
type Telemetry struct {
	monitor *Monitor // nil: it does not listen
	tracing interceptor.Interceptor
	stop    func(context.Context) error
	logger  *slog.Logger
}

// Tell begins to. listen is an address, or empty for none; service is the name
// that traces carry.
func Tell(ctx context.Context, service, listen string, logger *slog.Logger) (*Telemetry, error) {
	t := &Telemetry{logger: logger}
	var err error
	if listen != "" {
		if t.monitor, err = Listen(listen); err != nil {
			return nil, err
		}
	}
	t.tracing, t.stop, err = Tracing(ctx, service)
	return t, err
}

// Steps is what the worker's activities are to report to.
func (t *Telemetry) Steps() *activities.Metrics {
	if t.monitor == nil {
		return nil
	}
	return t.monitor.steps
}

// Client has a Temporal client report too.
func (t *Telemetry) Client(o *client.Options) {
	o.Logger = activities.FailureOnce(o.Logger)
	if t.monitor != nil {
		o.MetricsHandler = t.monitor.handler
	}
	if t.tracing != nil {
		o.Interceptors = append(o.Interceptors, t.tracing)
	}
}

// Serve answers in the background until the context ends.
func (t *Telemetry) Serve(ctx context.Context, c client.Client) {
	if t.monitor == nil {
		return
	}
	go func() {
		if err := t.monitor.Serve(ctx, c); err != nil {
			t.logger.Error("health and metrics are gone", "error", err)
		}
	}()
}

// Stop sends what is left.
func (t *Telemetry) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.stop(ctx); err != nil {
		t.logger.Warn("the last spans were not sent", "error", err)
	}
}
