package kube

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// A wait for a cloud or an operator can take a quarter of an hour, and a worker has only so many
// slots. After a minute such a wait is made in turns: a short look, then a pause in which the
// worker does something else. Temporal counts the pauses, so that no worker has to.
const (
	firstTurn = time.Minute
	laterTurn = 2 * time.Second
	// pause between two turns: what comes is noticed that much later.
	pause = 10 * time.Second
	// lastTurn is left to a wait at least before its end, for the last look and its reason.
	lastTurn = 10 * time.Second
)

// TurnError ends the turn of a wait that goes on after a pause, on this worker or on another.
type TurnError struct {
	NotReadyError
	Pause time.Duration
}

// Unwrap returns the *NotReadyError that tells what is waited for.
func (e *TurnError) Unwrap() error { return &e.NotReadyError }

type turnKey struct{}

// InTurns has the waits of an activity end with a *TurnError when their turn is over. It is for
// activities that only wait, and may begin anew at any time.
func InTurns(ctx context.Context) context.Context {
	return context.WithValue(ctx, turnKey{}, turnSince(activity.GetInfo(ctx).ScheduledTime))
}

// TakesTurns says whether the waits of an activity do.
func TakesTurns(ctx context.Context) bool {
	_, ok := ctx.Value(turnKey{}).(turn)
	return ok
}

// turn is that of an activity which was scheduled first at a moment.
type turn struct{ ends time.Time }

func turnSince(scheduled time.Time) turn {
	return turn{time.Now().Add(max(laterTurn, firstTurn-time.Since(scheduled)))}
}

// turnOf returns the turn of an activity, and a channel that tells of its end: none for one that
// is not in turns.
func turnOf(ctx context.Context) (turn, <-chan time.Time) {
	t, ok := ctx.Value(turnKey{}).(turn)
	if !ok {
		return t, nil
	}
	return t, time.After(time.Until(t.ends))
}

// over returns the error that ends the turn, or nil where the wait ends before another one.
func (t turn) over(ctx context.Context, waiting string) error {
	if d, ok := ctx.Deadline(); ok && time.Until(d) < pause+lastTurn {
		return nil
	}
	return &TurnError{NotReadyError{waiting}, pause}
}
