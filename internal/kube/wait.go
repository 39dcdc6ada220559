package kube

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// The first looks follow soon, since most waits are short: the next one comes when a quarter
// of the time that was waited has passed again. The later ones are further apart, since a
// cloud's address takes minutes, and every look of a large fleet is a request.
const (
	firstInterval = 100 * time.Millisecond
	pollInterval  = time.Second
	ofWaited      = 4
)

// NotReadyError tells what is still waited for.
type NotReadyError struct{ Waiting string }

func (e *NotReadyError) Error() string { return e.Waiting }

// DeadEndError tells why waiting or trying again cannot end well.
type DeadEndError struct{ Reason string }

func (e *DeadEndError) Error() string { return e.Reason }

// StoppingError ends a wait because the worker stops. Another worker, or this one
// when it is back, goes on waiting.
type StoppingError struct{ NotReadyError }

func (e *StoppingError) Unwrap() error { return &e.NotReadyError }

// Look looks once, and tells what is still waited for.
type Look = func(context.Context) (waiting string, done bool, err error)

// Poll looks until done, and heartbeats what it waits for, which is how
// cancellation reaches it. A look that fails is tried again as long as the error may
// pass; one that the end of the wait cuts off tells nothing. It returns ctx.Err() when
// the context is cancelled, a *NotReadyError when its deadline passes first, a
// *StoppingError when the worker stops, and a *TurnError when the turn of an activity that waits
// in turns is over. What Kubernetes tells by itself is for
// Cluster.Wait.
func Poll(ctx context.Context, look Look) error { return poll(ctx, look, &watches{}) }

func poll(ctx context.Context, look Look, watches *watches) error {
	ctx, cancel := beforeDeadline(ctx)
	defer cancel()
	last, began := "", time.Now()
	turn, ends := turnOf(ctx)
	for {
		waiting, done, err := watches.look(ctx, look)
		switch {
		case done:
			return nil
		case ctx.Err() != nil || outOfTime(err):
		case err != nil && !passing(err):
			return err
		case err != nil:
			last = err.Error()
		case waiting != "":
			last = waiting
		}
		Waiting(ctx, last)
		watches.begin(ctx)
		interval := min(max(firstInterval, time.Since(began)/ofWaited), pollInterval)
		select {
		case <-ctx.Done():
			if ctx.Err() == context.DeadlineExceeded && last != "" {
				return &NotReadyError{last}
			}
			return ctx.Err()
		case <-stopping(ctx):
			return &StoppingError{NotReadyError{"the worker is stopping; " + last}}
		case <-ends:
			if err := turn.over(ctx, last); err != nil {
				return err
			}
		case <-watches.news:
			watches.gather()
		case <-time.After(watches.interval(interval)):
		}
	}
}

// stopping returns a channel that closes when the worker is asked to stop.
func stopping(ctx context.Context) <-chan struct{} {
	if !activity.IsActivity(ctx) {
		return nil
	}
	return activity.GetWorkerStopChannel(ctx)
}

// lastWord lets a wait give up before its deadline, so that what it waited for
// reaches Temporal before Temporal stops listening.
const lastWord = 2 * time.Second

func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if d, ok := ctx.Deadline(); ok && activity.IsActivity(ctx) && time.Until(d) > 2*lastWord {
		return context.WithDeadline(ctx, d.Add(-lastWord))
	}
	return ctx, func() {}
}

// outOfTime returns whether a request was not sent, since its turn would have come after
// the end of the wait. client-go's limiter has no error of its own for that.
func outOfTime(err error) bool {
	return err != nil && strings.Contains(err.Error(), "would exceed context deadline")
}

// passing returns whether an error of a read may pass by itself: the network's, or
// one of an API server that is busy or not quite there.
func passing(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
			apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err)
	}
	var network *url.Error
	return errors.As(err, &network)
}
