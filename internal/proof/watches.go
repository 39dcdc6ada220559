package proof

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// istiodContainer is Istio's name for istiod's container.
	istiodContainer = "discovery"
	// watchMemory is longer than client-go waits between two tries of a watch (30 s, and up
	// to as long again), and watchAgain as long as one is waited for.
	watchMemory = 90 * time.Second
	watchAgain  = 40 * time.Second
)

// watchFails tells whether the watches of the target are refused to one of the istiods, as
// they are for ever where it goes on with an old token. It logs that and does nothing else. A
// line may be older than the end of its cause, so that another one must follow.
func (p *prober) watchFails(ctx context.Context, pods []string) (why string, err error) {
	var refused []string
	since := time.Now().Add(-watchMemory)
	for _, pod := range pods {
		if line, err := p.refusedWatch(ctx, pod, since); err != nil {
			return "", err
		} else if line != "" {
			refused = append(refused, pod)
		}
	}
	began := time.Now().Add(time.Second) // an API server counts in seconds
	for len(refused) > 0 && time.Since(began) < watchAgain {
		if err := pause(ctx, viewPause); err != nil {
			return "", err
		}
		for _, pod := range refused {
			line, err := p.refusedWatch(ctx, pod, began)
			if err != nil {
				return "", err
			}
			if line != "" {
				return fmt.Sprintf("%s may not watch %s any more, and holds what it read before; its log has: %s", pod, p.id, line), nil
			}
		}
	}
	return "", nil
}

// refusedWatch finds the last line of an istiod's log that says so, since a moment.
func (p *prober) refusedWatch(ctx context.Context, pod string, since time.Time) (last string, err error) {
	at := metav1.NewTime(since)
	log, err := p.Client.CoreV1().Pods(p.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: istiodContainer, SinceTime: &at}).DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("read the log of %s: %w", pod, err)
	}
	about := []byte("watch error in cluster " + p.id + ":")
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, about) && (bytes.Contains(line, []byte("Unauthorized")) || bytes.Contains(line, []byte("forbidden"))) {
			last = fleet.Brief(strings.TrimSpace(string(line)), maxWhy/2)
		}
	}
	return last, nil
}
