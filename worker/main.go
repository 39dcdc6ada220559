// Command landbridge-worker runs Landbridge's workflows and activities for a
// Temporal server elsewhere. landbridge-standalone has one of its own.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/worker/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "landbridge-worker:", err)
		stop()
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var (
		temporal connect.Flags
		options  serve.Options
		listen   string
	)
	cmd := &cobra.Command{
		Use: "landbridge-worker", Version: build.Version(), Args: cobra.NoArgs,
		Short:        "Run Landbridge's workflows and activities",
		Long:         "Run Landbridge's workflows and activities for the Temporal at --address.\n\nA worker can serve a whole fleet, or, inside a private network, just the task queue of one cluster\nwith just that cluster's kubeconfig. SIGTERM lets running activities end.",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), temporal, options, listen)
		},
	}
	temporal.Bind(cmd.Flags())
	options.Bind(cmd.Flags())
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9464", "where health and metrics are served (/healthz, /readyz, /metrics); '' for nowhere")
	return cmd
}

func run(ctx context.Context, temporal connect.Flags, options serve.Options, listen string) error {
	if err := options.Complete(); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	telemetry, err := serve.Tell(ctx, "landbridge-worker", listen, logger)
	if err != nil {
		return err
	}
	defer telemetry.Stop()
	options.Metrics = telemetry.Steps()
	namespace := ""
	c, err := temporal.Dial(ctx, logger, func(o *client.Options) {
		namespace = o.Namespace
		telemetry.Client(o)
	})
	if err != nil {
		return err
	}
	defer c.Close()
	telemetry.Serve(ctx, c)
	return serve.Run(ctx, c, namespace, options, logger)
}
