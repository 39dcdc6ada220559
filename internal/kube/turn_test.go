package kube

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// taking returns a context of an activity that was scheduled some time ago, as InTurns does.
func taking(ctx context.Context, waited time.Duration) context.Context {
	since := time.Now().Add(-waited)
	return context.WithValue(ctx, turnKey{}, turnSince(since))
}

func TestTurn_OfALongWait_EndsAndNamesThePause(t *testing.T) {
	for waited, length := range map[time.Duration]time.Duration{0: firstTurn, 50 * time.Second: 10 * time.Second, time.Minute: laterTurn, 10 * time.Minute: laterTurn} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := Poll(taking(t.Context(), waited), looks(step{waiting: "no address yet"}))
			var turn *TurnError
			require.ErrorAs(t, err, &turn)
			require.Equal(t, length, time.Since(began))
			require.Equal(t, pause, turn.Pause)
			var notReady *NotReadyError
			require.ErrorAs(t, err, &notReady)
			require.EqualError(t, err, "no address yet")
		})
	}
}

func TestTurn_ThatIsTheLast_WaitsToTheEnd(t *testing.T) {
	for limit, turns := range map[time.Duration]bool{laterTurn + pause + 2*lastTurn: true, laterTurn + pause: false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(taking(t.Context(), time.Hour), limit)
			defer cancel()
			began := time.Now()
			err := Poll(ctx, looks(step{waiting: "no address yet"}))
			var turn *TurnError
			if turns {
				require.ErrorAs(t, err, &turn)
				return
			}
			require.NotErrorAs(t, err, &turn)
			require.EqualError(t, err, "no address yet")
			require.Equal(t, limit, time.Since(began))
		})
	}
}

func TestTurn_OfAWaitThatEnds_IsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, Poll(taking(t.Context(), time.Hour), looks(step{waiting: "a moment"}, step{done: true})))
	})
}
