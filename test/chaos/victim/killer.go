package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
)

// killer intercepts activities and what they send.
type killer struct {
	interceptor.InterceptorBase
	kills []string
	dir   string
	// during names the kill that the next write carries out.
	during atomic.Pointer[string]
}

func (k *killer) bind(fs *pflag.FlagSet) {
	fs.StringSliceVar(&k.kills, "kill", nil, "Activity:before, Activity:during or Activity:after; may be repeated")
	fs.StringVar(&k.dir, "done-dir", "", "where a file says that a kill was done")
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
	i.die(during) // it wrote nothing, so its end counts as during
	i.die(name + ":after")
	return out, err
}

// asked tells whether a kill is wanted and not done yet.
func (k *killer) asked(kill string) bool {
	if !slices.Contains(k.kills, kill) {
		return false
	}
	_, err := os.Stat(k.done(kill))
	return os.IsNotExist(err)
}

// done returns the file that marks a kill as done.
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

// wrap kills the process after a write was done and before its answer is known.
func (k *killer) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if kill := k.during.Load(); kill != nil && r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/selfsubject") {
			k.die(*kill)
		}
		return res, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
