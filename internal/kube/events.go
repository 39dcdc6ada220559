package kube

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// maxEvents limits how many events go into a message.
const maxEvents = 3

// LastEvents tells what the cloud or a controller says of an object: its newest
// events as one line, newest first, or nothing.
func (c *Cluster) LastEvents(ctx context.Context, kind, namespace, name string) string {
	list, err := c.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{
		"involvedObject.kind": kind, "involvedObject.name": name}.String()})
	if err != nil {
		return ""
	}
	return newest(list.Items, func(e corev1.Event) bool { return e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name })
}

// changing matches words that differ each time the same thing is told: a count, or the ID that a
// cloud gives a request.
var changing = regexp.MustCompile(`\S*\d\S*`)

// newest joins the newest of the events that are wanted. What is told again and
// again counts once.
func newest(events []corev1.Event, wanted func(corev1.Event) bool) string {
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return EventTime(b).Compare(EventTime(a)) })
	var out, told []string
	for _, e := range events {
		said := e.Reason + ": " + e.Message
		same := changing.ReplaceAllString(said, "#")
		if !wanted(e) || slices.Contains(told, same) {
			continue
		}
		told, out = append(told, same), append(out, said)
		if len(out) == maxEvents {
			break
		}
	}
	return strings.Join(out, "; ")
}

// EventTime returns when an event was last seen: each of Kubernetes' two ways to
// count repetitions has a field of its own.
func EventTime(e corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
