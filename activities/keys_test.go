package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slow makes keys that take a while, and counts them.
type slow struct{ begun, now, most atomic.Int32 }

func (s *slow) key() (string, error) {
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	time.Sleep(90 * time.Second)
	s.now.Add(-1)
	return fmt.Sprintf("key %d", s.begun.Add(1)), nil
}

// A try of a step has a minute. On a machine on which a key takes longer, each try would
// begin one of its own, for ever.
func TestKeys_ATryEndsBeforeItsKey_TheNextOneGetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made keys
		var maker slow
		try := func() (string, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return makeKey(ctx, &made, "west", maker.key)
		}
		_, err := try()
		require.Equal(t, context.DeadlineExceeded, err)
		time.Sleep(time.Minute) // meanwhile nobody waits for it
		key, err := try()
		require.NoError(t, err)
		require.Equal(t, "key 1", key)

		made.forget("west") // it is in its place
		time.Sleep(keyLife)
		_, err = try()
		require.Equal(t, context.DeadlineExceeded, err, "another one is another one")
		time.Sleep(keyLife + time.Minute)
		made.mu.Lock()
		defer made.mu.Unlock()
		require.Empty(t, made.begun, "one that nobody comes for does not stay in memory")
	})
}

func TestKeys_OfManyMembers_AreMadeByAsManyAtOnceAsThereAreCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made keys
		var maker slow
		cores := runtime.GOMAXPROCS(0)
		began := time.Now()
		results := make(chan string, 4*cores)
		for i := range 4 * cores {
			go func() {
				key, _ := makeKey(t.Context(), &made, fmt.Sprint("member ", i), maker.key)
				results <- key
			}()
		}
		different := map[string]bool{}
		for range 4 * cores {
			different[<-results] = true
		}
		require.Len(t, different, 4*cores)
		require.Equal(t, 6*time.Minute, time.Since(began), "four one after the other on each core")
		require.EqualValues(t, cores, maker.most.Load())
		time.Sleep(keyLife)
	})
}

func TestKeys_OneThatCannotBeMade_IsTriedAgain(t *testing.T) {
	var made keys
	_, err := makeKey(t.Context(), &made, "west", func() (string, error) { return "", errors.New("no entropy") })
	require.EqualError(t, err, "no entropy")
	key, err := makeKey(t.Context(), &made, "west", func() (string, error) { return "key", nil })
	require.NoError(t, err)
	require.Equal(t, "key", key)
}
