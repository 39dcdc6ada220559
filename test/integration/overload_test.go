package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/test/lab"
)

// overload makes TestOverload run: nothing else has a core meanwhile.
var overload = flag.Int("overload", 0, "how many processes that only compute run beside the rollout of TestOverload (40 on two cores)")

// On a machine that has far too much to do, everything is slower, and nothing is begun again: no
// try of an activity ends since its worker had no time for a heartbeat, so that none makes a key
// a second time.
func TestOverload_EightClusters_SlowerAndNothingBegunAgain(t *testing.T) {
	if *overload == 0 {
		t.Skip("make overload runs it")
	}
	dir, err := os.MkdirTemp(labsDir, "overload-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = exec.Command(bin("lab"), "down", "--dir", dir).Run() })
	l, err := bringUp(dir, 8, lab.NodesKWOK)
	require.NoError(t, err)
	w := worldOn(t, l)
	w.start()
	var names []string
	for _, c := range l.Clusters {
		names = append(names, c.Name)
	}
	file := w.file(names, "ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: RSA-4096}", "stepTimeout: 2m", "stepTimeout: 30m")

	calm := busy(t, *overload)
	began := time.Now()
	long, cancel := context.WithTimeout(ctx, 40*time.Minute)
	defer cancel()
	out, err := w.command(long, "rollout", "-f", file).CombinedOutput()
	require.NoError(t, err, string(out))
	took := time.Since(began)
	calm()
	require.Contains(t, string(out), "8 clusters and 56 links rolled out")
	tries, again := w.begunAgain(t)
	t.Logf("beside %d busy processes: %.0f s, %d tries of activities", *overload, took.Seconds(), tries)
	require.Empty(t, again)
	w.must("cleanup", "-f", file)
}

// busy starts so many processes that only compute, and returns what ends them.
func busy(t *testing.T, n int) (calm func()) {
	t.Helper()
	var all []*exec.Cmd
	for range n {
		p := exec.Command("sh", "-c", "while :; do :; done")
		require.NoError(t, p.Start())
		all = append(all, p)
	}
	calm = func() {
		for _, p := range all {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
		all = nil
	}
	t.Cleanup(calm)
	return calm
}

// begunAgain counts the tries of all activities, and lists those whose try before ran out of
// time.
func (w *world) begunAgain(t *testing.T) (tries int, again []string) {
	for run, h := range w.histories(t) {
		names := map[int64]string{}
		for _, event := range h.GetEvents() {
			if a := event.GetActivityTaskScheduledEventAttributes(); a != nil {
				names[event.GetEventId()] = a.GetActivityType().GetName()
			}
			a := event.GetActivityTaskStartedEventAttributes()
			tries += int(a.GetAttempt())
			if why := a.GetLastFailure(); why.GetTimeoutFailureInfo() != nil {
				again = append(again, fmt.Sprintf("%s of %s: try %d, since the one before ended with %s", names[a.GetScheduledEventId()],
					run, a.GetAttempt(), why.GetMessage()))
			}
		}
	}
	return tries, again
}
