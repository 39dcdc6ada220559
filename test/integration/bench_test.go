package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"
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

// figures measures how long f takes, and its requests to both clusters.
func (w *world) figures(what string, f func()) string {
	w.t.Helper()
	lines := map[string]int{}
	for _, c := range []string{"east", "west"} {
		_, lines[c] = w.requests(c, 0)
	}
	began := time.Now()
	f()
	took := time.Since(began)
	all, reviews, watches, changes := 0, 0, 0, 0
	for _, c := range []string{"east", "west"} {
		counts, _ := w.requests(c, lines[c])
		a, r, n := total(counts)
		all, reviews, watches = all+a, reviews+r, watches+n
		for k, n := range counts {
			if len(writes(map[string]int{k: n})) > 0 {
				changes += n
			}
		}
	}
	return fmt.Sprintf("%-12s %6.1f s  %4d requests, of which %d writes, %d watches and %d questions for rights", what, took.Seconds(), all, changes, watches, reviews)
}

// BenchmarkFleet measures a rollout of two clusters, its repetition and its
// cleanup: seconds, and requests to both API servers. make bench runs it.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		w := newWorld(b)
		file := w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: RSA-4096}")
		b.Log(w.figures("rollout", func() { w.must("rollout", "-f", file) }))
		b.Log(w.figures("repetition", func() { w.must("rollout", "-f", file) }))
		b.Log(w.figures("cleanup", func() { w.must("cleanup", "-f", file) }))
		w.stop()
	}
}
