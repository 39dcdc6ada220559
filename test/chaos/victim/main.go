// Command victim is a Landbridge worker that kills itself with SIGKILL before,
// during or after the first run of the activities that --kill names, each once.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/worker/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var (
		temporal connect.Flags
		options  serve.Options
		k        killer
	)
	cmd := &cobra.Command{Use: "victim", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.Complete(); err != nil {
				return err
			}
			options.Wrap = k.wrap
			logger, namespace := slog.New(slog.NewTextHandler(os.Stderr, nil)), ""
			c, err := temporal.Dial(cmd.Context(), logger, func(o *client.Options) {
				namespace = o.Namespace
				o.Interceptors = append(o.Interceptors, &k)
			})
			if err != nil {
				return err
			}
			defer c.Close()
			return serve.Run(cmd.Context(), c, namespace, options, logger)
		}}
	temporal.Bind(cmd.Flags())
	options.Bind(cmd.Flags())
	cmd.Flags().StringSliceVar(&k.kills, "kill", nil, "Activity:before, Activity:during or Activity:after; may be repeated")
	cmd.Flags().StringVar(&k.dir, "done-dir", "", "where a file says that a kill was done")
	return cmd
}

// killer is an interceptor of activities and of what they send.
type killer struct {
	interceptor.InterceptorBase
	kills []string
	dir   string
	// during is the kill that the next write carries out.
	during atomic.Pointer[string]
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (k *killer) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &inbound{interceptor.ActivityInboundInterceptorBase{Next: next}, k}
}

type inbound struct {
	interceptor.ActivityInboundInterceptorBase
	*killer
}

func (i *inbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	name := activity.GetInfo(ctx).ActivityType.Name
	i.die(name + ":before")
	during := name + ":during"
	if i.asked(during) {
		i.during.Store(&during)
	}
	out, err := i.Next.ExecuteActivity(ctx, in)
	i.die(during) // it wrote nothing: its end is still in the middle
	i.die(name + ":after")
	return out, err
}

// asked says whether a kill is wanted and not done yet.
func (k *killer) asked(kill string) bool {
	for _, want := range k.kills {
		if want == kill {
			_, err := os.Stat(k.done(kill))
			return os.IsNotExist(err)
		}
	}
	return false
}

func (k *killer) done(kill string) string {
	return filepath.Join(k.dir, strings.ReplaceAll(kill, ":", "."))
}

// die ends the process as a crash does, once for each kill.
func (k *killer) die(kill string) {
	if !k.asked(kill) {
		return
	}
	f, err := os.OpenFile(k.done(kill), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return // another activity of the same name was first
	}
	_ = f.Close()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// wrap kills after a write was done and before its answer is known.
func (k *killer) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if kill := k.during.Load(); kill != nil && r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "selfsubjectaccessreviews") {
			k.die(*kill)
		}
		return res, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
