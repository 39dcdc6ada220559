package activities

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

const (
	// denialPatience limits how long a run asks again for what a cluster denies (401 or
	// 403): a kubeconfig or a role is being renewed, or an API server has just started and
	// does not know its roles yet.
	denialPatience = time.Minute
	// deniedDelay passes until the next try.
	deniedDelay = 10 * time.Second
)

// denials remembers since when clusters have denied what runs ask for. The minute belongs
// to the run and the cluster, not to a step: a worker that lacks rights is told so after
// one minute, not after one for each step of a cleanup.
type denials struct {
	mu sync.Mutex
	of map[deniedRun]spell
}

type deniedRun struct{ run, cluster string }

// spell tells when a cluster began to deny, and when it did so last.
type spell struct{ since, last time.Time }

// limit makes a denial final where the patience is over, or where the step has no time for
// it: somebody waits for a look at a cluster.
func (d *denials) limit(ctx context.Context, ref api.ClusterRef, err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || api.RetryOf(app.Type()) != api.RetriedAMinute {
		return err
	}
	if activity.GetInfo(ctx).ScheduleToCloseTimeout > denialPatience && !d.over(deniedRun{ref.Run, ref.Cluster}, time.Now()) {
		return err
	}
	return temporal.NewNonRetryableApplicationError(app.Message(), app.Type(), nil)
}

// over notes a denial, and tells whether the cluster has denied for as long as the patience
// lasts. One that comes long after the one before begins anew.
func (d *denials) over(by deniedRun, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = map[deniedRun]spell{}
	}
	maps.DeleteFunc(d.of, func(_ deniedRun, was spell) bool { return now.Sub(was.last) > denialPatience })
	was, again := d.of[by]
	if !again {
		was.since = now
	}
	was.last = now
	d.of[by] = was
	return now.Sub(was.since) >= denialPatience
}
