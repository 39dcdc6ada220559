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
)

// Monitor serves health and Prometheus metrics: /healthz (the process runs),
// /readyz (Temporal answers) and /metrics (Landbridge's own, the SDK's, Go's and
// the process's).
type Monitor struct {
	registry *prom.Registry
	handler  client.MetricsHandler
	steps    *activities.Metrics
	listener net.Listener
}

// Listen takes the address, which should be on loopback: nothing asks who calls.
func Listen(address string) (*Monitor, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w; choose another address, or none with --listen ''", err)
	}
	registry := prom.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	meter := metric.NewMeterProvider(metric.WithReader(exporter)).Meter("temporal-sdk-go")
	return &Monitor{registry, opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{Meter: meter}), activities.NewMetrics(registry), l}, nil
}

// Address is where the monitor listens.
func (m *Monitor) Address() string { return m.listener.Addr().String() }

// Serve answers until the context ends.
func (m *Monitor) Serve(ctx context.Context, c client.Client) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := c.CheckHealth(r.Context(), &client.CheckHealthRequest{}); err != nil {
			http.Error(w, "Temporal does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
