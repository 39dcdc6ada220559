package integration

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/test/lab"
)

func total(counts map[string]int) (all, reviews, watches int) {
	for k, n := range counts {
		all += n
		if strings.HasPrefix(k, "create selfsubject") {
			reviews += n
		}
		if strings.HasPrefix(k, "watch ") {
			watches += n
		}
	}
	return all, reviews, watches
}

// figures measures how long f takes, and its requests to all clusters of the lab.
func (w *world) figures(what string, f func()) string {
	w.t.Helper()
	lines := map[string]int{}
	for _, c := range w.lab.Clusters {
		_, lines[c.Name] = w.requests(c.Name, 0)
	}
	began := time.Now()
	f()
	took := time.Since(began)
	all, reviews, watches, changes := 0, 0, 0, 0
	for c, since := range lines {
		counts, _ := w.requests(c, since)
		a, r, n := total(counts)
		all, reviews, watches = all+a, reviews+r, watches+n
		for k, n := range counts {
			if len(writes(map[string]int{k: n})) > 0 {
				changes += n
			}
		}
	}
	return fmt.Sprintf("%-38s %6.1f s  %5d requests, of which %d writes, %d watches and %d questions for rights", what, took.Seconds(), all, changes, watches, reviews)
}

// BenchmarkFleet measures what people do with a fleet of two clusters, and of ten in mesh:
// seconds, and requests to all API servers. make bench runs it.
func BenchmarkFleet(b *testing.B) {
	for _, n := range []int{2, 10} {
		b.Run(fmt.Sprintf("%d clusters", n), func(b *testing.B) {
			for b.Loop() {
				measureFleet(b, n)
			}
		})
	}
}

// measureFleet measures a fleet of the first n clusters of a lab of its own.
func measureFleet(b *testing.B, n int) {
	dir, err := os.MkdirTemp(labsDir, "bench-")
	require.NoError(b, err)
	b.Cleanup(func() { _ = exec.Command(bin("lab"), "down", "--dir", dir).Run() })
	l, err := bringUp(dir, n, lab.NodesKWOK)
	require.NoError(b, err)
	w := worldOn(b, l)
	w.start()
	defer w.stop()
	var names []string
	for _, c := range l.Clusters {
		names = append(names, c.Name)
	}
	does := func(what string, command ...string) {
		b.Log(w.figures(fmt.Sprintf("%s, %d clusters", what, n), func() { w.must(command...) }))
	}
	rsa := []string{"ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: RSA-4096}"}
	all := w.file(names, rsa...)
	does("rollout", "rollout", "-f", all)
	does("repetition", "rollout", "-f", all)
	does("new tokens", "rotate", "test", "--tokens")
	does("new intermediates", "rotate", "test", "--intermediates")
	if n > 2 {
		does("one cluster leaves", "rollout", "-f", w.file(names[:n-1], rsa...), "--prune", "--yes")
		does("one cluster joins", "rollout", "-f", all)
	}
	for _, phase := range []string{"both roots are trusted", "the new root signs", "only the new root is trusted"} {
		does(phase, "rotate", "test", "--root", "--workload-lifetime", "0")
	}
	does("cleanup", "cleanup", "-f", all)
}
