package kube

import (
	"context"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// beatInterval divides the heartbeat timeout, so that a busy machine may miss one
	// or two.
	beatInterval = 2 * time.Second
	// maxHeartbeat, in bytes, gives a person enough to read; Sail's and the cloud's
	// words can be as long as they like.
	maxHeartbeat = 1024
)

type wordKey struct{}

// KeepAlive heartbeats for an activity until the returned function is called, so
// that a worker that died is noticed within the heartbeat timeout whatever the
// activity is doing, and cancellation reaches the context. It sends what Waiting was
// told last.
func KeepAlive(ctx context.Context) (_ context.Context, stop func()) {
	word := &atomic.Value{}
	word.Store("")
	ctx = context.WithValue(ctx, wordKey{}, word)
	stopped, cancel := context.WithCancel(ctx)
	go func() {
		for {
			select {
			case <-stopped.Done():
				return
			case <-time.After(beatInterval):
				beat(ctx, word.Load().(string))
			}
		}
	}()
	return ctx, cancel
}

// Waiting tells what an activity waits for; people see it in the status and in the
// Temporal UI. Outside of an activity it does nothing.
func Waiting(ctx context.Context, what string) {
	word, ok := ctx.Value(wordKey{}).(*atomic.Value)
	if !ok {
		return
	}
	what = fleet.Brief(what, maxHeartbeat)
	word.Store(what)
	beat(ctx, what)
}

// beat sends a heartbeat. The SDK sends a later heartbeat with the context of an earlier
// one, so that must not be cancelled in between: the activity would be.
func beat(ctx context.Context, what string) {
	activity.RecordHeartbeat(context.WithoutCancel(ctx), what)
}
