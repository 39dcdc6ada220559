package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func total(counts map[string]int) (all, reviews int) {
	for k, n := range counts {
		all += n
		if strings.HasPrefix(k, "create selfsubject") {
			reviews += n
		}
	}
	return all, reviews
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
	all, reviews, changes := 0, 0, 0
	for _, c := range []string{"east", "west"} {
		counts, _ := w.requests(c, lines[c])
		a, r := total(counts)
		all, reviews = all+a, reviews+r
		for k, n := range counts {
			if len(writes(map[string]int{k: n})) > 0 {
				changes += n
			}
		}
	}
	return fmt.Sprintf("%-12s %6.1f s  %4d requests, of which %d writes and %d questions for rights", what, took.Seconds(), all, changes, reviews)
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
