package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/listen"
)

// headerTimeout bounds how long a caller may hold a connection without a request.
const headerTimeout = 5 * time.Second

// monitor serves health and Prometheus metrics: /healthz (the process runs),
// /readyz (Temporal answers) and /metrics (Landbridge's own, the SDK's, Go's and
// the process's).
type monitor struct {
	registry *prom.Registry
	handler  client.MetricsHandler
	steps    *activities.Metrics
	listener net.Listener
	server   *http.Server
}

// newMonitor takes the address, which should be on loopback: nothing asks who calls.
func newMonitor(address string) (*monitor, error) {
	l, err := listen.TCP("--listen", address)
	if err != nil {
		return nil, fmt.Errorf("%w, or serve neither health nor metrics with --listen ''", err)
	}
	registry := prom.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	meter := metric.NewMeterProvider(metric.WithReader(exporter)).Meter("temporal-sdk-go")
	return &monitor{
		registry: registry,
		handler:  opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{Meter: meter}),
		steps:    activities.NewMetrics(registry),
		listener: l,
		server:   &http.Server{ReadHeaderTimeout: headerTimeout},
	}, nil
}

// Address returns where the monitor listens.
func (m *monitor) Address() string { return m.listener.Addr().String() }

// Serve answers until Close. Once the context has ended the program is no longer
// ready, but can still be watched while it lets activities end.
func (m *monitor) Serve(ctx context.Context, c client.Client) error {
	m.server.Handler = m.routes(ctx, c)
	if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close gives the address back.
func (m *monitor) Close() {
	_ = m.server.Close()
	_ = m.listener.Close() // Serve may never have been called
}

func (m *monitor) routes(ctx context.Context, c client.Client) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		if _, err := c.CheckHealth(r.Context(), &client.CheckHealthRequest{}); err != nil {
			http.Error(w, "Temporal does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
