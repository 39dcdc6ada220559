package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/flowcontrol"
)

// looks answers each look with the next step, and the last one again and again.
type step struct {
	waiting string
	done    bool
	err     error
}

func looks(steps ...step) func(context.Context) (string, bool, error) {
	n := -1
	return func(context.Context) (string, bool, error) {
		n = min(n+1, len(steps)-1)
		return steps[n].waiting, steps[n].done, steps[n].err
	}
}

var (
	unreachable = &url.Error{Op: "Get", URL: "https://east.test", Err: errors.New("no route to host")}
	forbidden   = apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "x", errors.New("no"))
)

func TestPoll_EndsAsItShould(t *testing.T) {
	for name, c := range map[string]struct {
		look func(context.Context) (string, bool, error)
		took time.Duration
		want error // nil: done
	}{
		"done at once":               {looks(step{done: true}), 0, nil},
		"done later":                 {looks(step{waiting: "no address"}, step{waiting: "no address"}, step{done: true}), 2 * firstInterval, nil},
		"an error that passes":       {looks(step{err: unreachable}, step{err: apierrors.NewServiceUnavailable("busy")}, step{done: true}), 2 * firstInterval, nil},
		"an error that does not":     {looks(step{waiting: "no address"}, step{err: forbidden}), firstInterval, forbidden},
		"time is up":                 {looks(step{waiting: "no address"}), 10 * time.Second, &NotReadyError{"no address"}},
		"time is up, then unreached": {looks(step{waiting: "no address"}, step{err: unreachable}), 10 * time.Second, &NotReadyError{unreachable.Error()}},
		"nothing to say":             {looks(step{}), 10 * time.Second, context.DeadlineExceeded},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			require.Equal(t, c.want, Poll(ctx, c.look), name)
			require.Equal(t, c.took, time.Since(began), name)
		})
	}
}

// The request that the end of the wait cuts off fails in its own way; what was waited
// for is the news.
func TestPoll_TheEndCutsALookOff_SaysWhatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		first := true
		err := Poll(ctx, func(ctx context.Context) (string, bool, error) {
			if first {
				first = false
				return "no address", false, nil
			}
			<-ctx.Done()
			return "", false, errors.New("client rate limiter Wait returned an error: context deadline exceeded")
		})
		require.Equal(t, &NotReadyError{"no address"}, err)
	})
}

// So does a request that client-go's own limiter would send after the end.
func TestPoll_TheLimiterCutsALookOff_SaysWhatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		limiter := flowcontrol.NewTokenBucketRateLimiter(0.1, 1)
		err := Poll(ctx, func(ctx context.Context) (string, bool, error) {
			if err := limiter.Wait(ctx); err != nil {
				return "", false, fmt.Errorf("client rate limiter Wait returned an error: %w", err)
			}
			return "no address", false, nil
		})
		require.Equal(t, &NotReadyError{"no address"}, err)
	})
}

func TestPoll_LooksALittleLateAtFirst_AndThenOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began, last, looks := time.Now(), time.Duration(0), 0
		_ = Poll(ctx, func(context.Context) (string, bool, error) {
			now := time.Since(began)
			require.LessOrEqual(t, now-last, min(max(firstInterval, last/ofWaited), pollInterval))
			last, looks = now, looks+1
			return "no address", false, nil
		})
		require.InDelta(t, 15+56, looks, 2, "15 until the pauses are a second, after 4 s")
	})
}

func TestPoll_Cancelled_IsNeverDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Poll(ctx, func(context.Context) (string, bool, error) { cancel(); return "no address", false, nil })
	require.Equal(t, context.Canceled, err)
}

func TestPassing_ReadsThatMaySucceedLater(t *testing.T) {
	gr := schema.GroupResource{Resource: "services"}
	for _, err := range []error{unreachable, apierrors.NewServerTimeout(gr, "get", 1), apierrors.NewTimeoutError("slow", 1), apierrors.NewTooManyRequests("busy", 1),
		apierrors.NewInternalError(errors.New("x")), apierrors.NewServiceUnavailable("x")} {
		require.True(t, passing(err), "%v", err)
	}
	for _, err := range []error{forbidden, apierrors.NewNotFound(gr, "x"), apierrors.NewUnauthorized("who"), errors.New("x"), &NotReadyError{"x"}} {
		require.False(t, passing(err), "%v", err)
	}
}

// inActivity runs f as an activity, and returns its heartbeats.
func inActivity(t *testing.T, env *testsuite.TestActivityEnvironment, f func(context.Context)) []string {
	t.Helper()
	var mu sync.Mutex
	var beats []string
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		mu.Lock()
		defer mu.Unlock()
		said := ""
		_ = details.Get(&said)
		beats = append(beats, said)
	})
	env.RegisterActivityWithOptions(func(ctx context.Context) error { f(ctx); return nil }, activity.RegisterOptions{Name: "f"})
	_, err := env.ExecuteActivity("f")
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	return beats
}

func TestPoll_TheWorkerStops_SaysSoAndWhatItWaitedFor(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	stop := make(chan struct{})
	close(stop)
	env.SetWorkerStopChannel(stop)
	var err error
	inActivity(t, env, func(ctx context.Context) { err = Poll(ctx, looks(step{waiting: "no address yet"})) })
	var stopping *StoppingError
	require.ErrorAs(t, err, &stopping)
	var notReady *NotReadyError
	require.ErrorAs(t, err, &notReady, "it is tried again like every wait that takes longer")
	require.EqualError(t, err, "the worker is stopping; no address yet")
}

func TestPoll_InAnActivity_GivesUpBeforeTemporalStopsListening(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	inActivity(t, env, func(ctx context.Context) {
		for limit, want := range map[time.Duration]time.Duration{time.Minute: time.Minute - lastWord, lastWord: lastWord} {
			limited, cancel := context.WithTimeout(ctx, limit)
			earlier, cancelEarlier := beforeDeadline(limited)
			end, ok := earlier.Deadline()
			require.True(t, ok)
			require.InDelta(t, want, time.Until(end), float64(time.Second))
			cancelEarlier()
			cancel()
		}
	})
}

func TestKeepAlive_AnActivityThatSaysNothing_HeartbeatsAllTheSame(t *testing.T) {
	t.Parallel()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	require.Equal(t, []string{""}, inActivity(t, env, func(ctx context.Context) {
		_, stop := KeepAlive(ctx)
		defer stop()
		time.Sleep(beatInterval + beatInterval/4)
	}))
}

func TestWaiting_HeartbeatsAndRemembersTheNewest(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	beats := inActivity(t, env, func(ctx context.Context) {
		ctx, stop := KeepAlive(ctx)
		defer stop()
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		Waiting(cancelled, strings.Repeat("é", maxHeartbeat)) // a cancelled context's arrives too
		Waiting(ctx, "no address yet")                        // the SDK sends this later
		require.Equal(t, "no address yet", ctx.Value(wordKey{}).(*atomic.Value).Load())
	})
	require.Len(t, beats, 1)
	require.True(t, utf8.ValidString(beats[0]))
	require.InDelta(t, maxHeartbeat, len(beats[0]), 4)
	Waiting(t.Context(), "outside of an activity nobody listens")
}
