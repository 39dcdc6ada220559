package integration

import (
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/test/lab"
)

var soak = flag.Int("soak", 200, "how many rollouts and cleanups BenchmarkSoak does")

// soakFleets sets how many fleets are rolled out at once, each of one cluster.
const soakFleets = 6

// BenchmarkSoak lets one worker roll out and clean up many times, and shows its memory and
// goroutines: both must stay flat. make soak runs it.
func BenchmarkSoak(b *testing.B) {
	l, err := bringUp(filepath.Join(labsDir, "soak"), soakFleets, lab.NodesKWOK)
	require.NoError(b, err)
	w := &world{t: b, lab: l, dir: b.TempDir(), port: freePort(b)}
	w.startWith("--task-queue", "nobodys", "--kubeconfig-dir", l.Dir)
	b.Cleanup(w.stop)
	port := freePort(b)
	w.serveWith(b, "devel", "--listen", fmt.Sprintf("127.0.0.1:%d", port))
	var files []string
	for i, c := range l.Clusters {
		files = append(files, w.file([]string{c.Name}, "metadata: {name: test}", fmt.Sprintf("metadata: {name: soak-%d}", i)))
	}
	for b.Loop() {
		began, done := time.Now(), atomic.Int64{}
		var wg sync.WaitGroup
		for _, file := range files {
			wg.Go(func() {
				for done.Load() < int64(*soak) {
					for _, what := range []string{"rollout", "cleanup"} {
						if out, err := w.command(ctx, what, "-f", file).CombinedOutput(); err != nil {
							b.Errorf("%s: %v\n%s", what, err, out)
							return
						}
					}
					if n := done.Add(1); n%20 == 0 || n == 1 {
						fmt.Printf("%3d rollouts and cleanups, %5.0f s: %s\n", n, time.Since(began).Seconds(), vitals(b, port))
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(30 * time.Second) // idle memory and connections are released
		fmt.Printf("%3d rollouts and cleanups, and 30 s of rest: %s\n", done.Load(), vitals(b, port))
	}
}

var metric = regexp.MustCompile(`(?m)^(go_goroutines|go_memstats_heap_inuse_bytes|process_resident_memory_bytes|process_open_fds) (\S+)$`)

// vitals reads the worker's own figures.
func vitals(b *testing.B, port int) string {
	_, body := httpGet(b, fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	at := map[string]float64{}
	for _, m := range metric.FindAllStringSubmatch(body, -1) {
		at[m[1]], _ = strconv.ParseFloat(m[2], 64)
	}
	return fmt.Sprintf("%.0f MiB resident, %.0f MiB heap, %.0f goroutines, %.0f open files", at["process_resident_memory_bytes"]/(1<<20),
		at["go_memstats_heap_inuse_bytes"]/(1<<20), at["go_goroutines"], at["process_open_fds"])
}
