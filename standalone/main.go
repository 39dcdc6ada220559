// Command landbridge-standalone is Temporal, its web UI and a Landbridge worker
// in one process on a SQLite file: all that one machine needs.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/worker/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "landbridge-standalone:", err)
		stop()
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var (
		temporal server.Options
		options  serve.Options
		noUI     bool
		listen   string
	)
	cmd := &cobra.Command{
		Use: "landbridge-standalone", Version: build.Version(), Args: cobra.NoArgs,
		Short: "Temporal, its web UI and a Landbridge worker in one process",
		Long: "Temporal, its web UI and a Landbridge worker in one process, on a SQLite file.\n\n" +
			"Everything listens on 127.0.0.1 only. Stopped and started again, it continues where it was.",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if noUI {
				temporal.UIPort = 0
			}
			return run(cmd.Context(), temporal, options, listen)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&temporal.Dir, "state-dir", "", "directory of the database (default "+filepath.Join("$XDG_STATE_HOME", "landbridge", "temporal")+")")
	fs.IntVar(&temporal.Port, "port", 7233, "port of Temporal on 127.0.0.1")
	fs.IntVar(&temporal.UIPort, "ui-port", 8233, "port of Temporal's web UI on 127.0.0.1")
	fs.BoolVar(&noUI, "no-ui", false, "run without the web UI")
	fs.BoolVar(&temporal.Verbose, "verbose", false, "log what Temporal does")
	fs.StringVar(&listen, "listen", "", "where health and metrics are served (/healthz, /readyz, /metrics), such as 127.0.0.1:9464 (default nowhere)")
	options.Bind(fs)
	return cmd
}

func run(ctx context.Context, temporal server.Options, options serve.Options, listen string) error {
	if len(options.KubeconfigDirs) == 0 {
		options.DefaultConfig = true // one machine, one person: what kubectl reaches
	}
	if err := options.Complete(); err != nil {
		return err
	}
	if temporal.Dir == "" {
		dir, err := serve.StateDir()
		if err != nil {
			return err
		}
		temporal.Dir = filepath.Join(dir, "temporal")
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	telemetry, err := serve.Tell(ctx, "landbridge-standalone", listen, logger)
	if err != nil {
		return err
	}
	defer telemetry.Stop()
	options.Metrics = telemetry.Steps()
	temporal.SearchAttributes = connect.SearchAttributes()
	s, err := server.Start(temporal)
	if err != nil {
		return err
	}
	defer s.Stop()
	o := client.Options{Logger: log.NewStructuredLogger(logger)}
	telemetry.Client(&o)
	c, err := s.Dial(ctx, o)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(os.Stderr, "Temporal     %s\nTemporal UI  %s\nDatabase     %s\n", s.Address(), orNone(s.UIAddress()), temporal.Dir)
	telemetry.Serve(ctx, c)
	return serve.Run(ctx, c, server.Namespace, options, logger)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
