// Package serve holds what Landbridge's programs that serve workflows and
// activities have in common: flags, logger, telemetry, the Temporal client, the
// workers and the exit code. landbridge-worker, landbridge-standalone and the chaos
// program's worker only say in what they differ.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/help"
)

// The exit codes of a Program.
const (
	ExitEnded  = 0 // it was asked to end, and did
	ExitFailed = 1 // it could not begin, or could not go on
	ExitUsage  = 2 // its flags are wrong; nothing was begun
)

// Program serves Landbridge's workflows and activities. The fields say in what one
// program differs from another.
type Program struct {
	// Name, Short and Long are for --help; Name is also for messages, traces and
	// Temporal's list of workers.
	Name, Short, Long string
	// Temporal reaches the server whose task queues the program serves.
	Temporal Temporal
	// Listen gives --listen its default.
	Listen string
	// DefaultKubeconfig allows the default kubeconfig where no directory is given.
	DefaultKubeconfig bool
	// Flags adds flags that only this program has.
	Flags func(*pflag.FlagSet)
	// Interceptors see what the Temporal client and its workers do.
	Interceptors []interceptor.ClientInterceptor
	// Wrap goes around every connection to an API server.
	Wrap transport.WrapperFunc
}

// Main runs the program with the arguments of this process and exits. SIGINT and
// SIGTERM ask it to end; a second one does not wait.
func (p *Program) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run serves until the context ends, and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := p.command()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return ExitEnded
	}
	var told *loggedError
	if !errors.As(err, &told) {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
	}
	var wrong *usageError
	if errors.As(err, &wrong) {
		return ExitUsage
	}
	return ExitFailed
}

func (p *Program) command() *cobra.Command {
	var options Options
	cmd := &cobra.Command{
		Use: p.Name, Version: build.Version(), Short: p.Short,
		Long:         p.Long + "\n\nSIGTERM ends it once running activities have ended, a second one at once.\nExit codes: 0 ended when asked to; 1 failed; 2 bad usage.",
		SilenceUsage: true, SilenceErrors: true,
		Args: p.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.DefaultKubeconfig && len(options.KubeconfigDirs) == 0 {
				options.DefaultConfig = true
			}
			for _, complete := range []func() error{options.Complete, p.Temporal.Complete, func() error { return p.encryptedOnly(options) }} {
				if err := complete(); err != nil {
					return &usageError{err}
				}
			}
			logger := options.Logging.New(cmd.ErrOrStderr())
			err := p.serve(cmd.Context(), options, logger)
			if err != nil && options.Format == logJSON {
				logger.Error(err.Error())
				return &loggedError{err}
			}
			return err
		},
	}
	cmd.SetVersionTemplate(p.Name + " {{.Version}}\n")
	cmd.SetFlagErrorFunc(p.flagError)
	help.Wrap(cmd)
	p.Temporal.Bind(cmd.Flags())
	options.Bind(cmd.Flags(), p.Listen)
	if p.Flags != nil {
		p.Flags(cmd.Flags())
	}
	return cmd
}

// encryptedOnly says that a worker which takes only what is encrypted has no key.
func (p *Program) encryptedOnly(o Options) error {
	if keys, err := p.Temporal.Keys(); err != nil || !o.EncryptedOnly || keys.Any() {
		return err
	}
	return errors.New("--encrypted-only: without a key nothing could be read; give the key file, too (--codec-key-file or " + codec.Variable + ")")
}

// serve does the work. That it ends before it serves is no error where it was
// asked to end: what it was in the middle of failed for that reason.
func (p *Program) serve(ctx context.Context, o Options, logger *slog.Logger) error {
	err := p.connectAndWork(ctx, o, logger)
	if err != nil && ctx.Err() != nil {
		logger.Info("asked to end before it served", "then", err)
		return nil
	}
	return err
}

func (p *Program) connectAndWork(ctx context.Context, o Options, logger *slog.Logger) error {
	telemetry, err := newTelemetry(ctx, p.Name, o.Listen, logger)
	if err != nil {
		return err
	}
	defer telemetry.Stop()
	// Temporal's SDK names a program by the hash of its file otherwise, and reads 300 MB for
	// that at each start.
	worker.SetBinaryChecksum(o.BuildID)
	defer p.Temporal.Stop()
	w := work{options: o, wrap: p.Wrap, metrics: telemetry.Steps(), logger: logger}
	w.client, err = p.Temporal.Dial(ctx, logger, func(to *client.Options) {
		w.namespace = to.Namespace
		to.Identity = identity(p.Name)
		to.Logger = activities.FailureOnce(to.Logger)
		if o.EncryptedOnly {
			codec.EncryptedOnly(to)
		}
		codec.ForWorker(to)
		w.payloads = to.DataConverter
		w.connection = *to
		telemetry.Client(to)
		to.Interceptors = append(to.Interceptors, p.Interceptors...)
	})
	if err != nil {
		return err
	}
	defer w.client.Close()
	keys, err := p.Temporal.Keys()
	if err != nil {
		return err
	}
	w.people = keys.Opened(w.client)
	telemetry.Serve(ctx, w.client)
	return w.run(ctx)
}

// identity names this process in histories and in Temporal's list of workers.
func identity(program string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s@%s:%d", program, host, os.Getpid())
}
