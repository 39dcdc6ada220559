package kube_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func TestLastEvents_NewestFirst_AndEachOnce(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 24, 9, minute, 0, 0, time.UTC) }
	event := func(name, message string, change func(*corev1.Event)) *corev1.Event {
		e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name}, Reason: "SyncLoadBalancerFailed", Message: message,
			InvolvedObject: corev1.ObjectReference{Kind: "Service", Name: "gateway"}}
		change(e)
		return e
	}
	last := func(minute int) func(*corev1.Event) {
		return func(e *corev1.Event) { e.LastTimestamp = metav1.NewTime(at(minute)) }
	}
	c := kubetest.New("east",
		event("a", "quota exceeded, request id: 1d8f-77", last(1)), event("b", "quota exceeded, request id: 90ab-3c", last(4)), event("c", "quota exceeded, request id: 4e-5", last(2)),
		event("d", "no subnet", func(e *corev1.Event) { e.EventTime = metav1.NewMicroTime(at(3)) }),
		event("e", "throttled", func(e *corev1.Event) {
			e.EventTime = metav1.NewMicroTime(at(0))
			e.Series = &corev1.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(at(5))}
		}),
		event("f", "too old to matter", last(0)),
		event("g", "of another Service", func(e *corev1.Event) { e.InvolvedObject.Name = "other" }),
		event("h", "of another kind", func(e *corev1.Event) { e.InvolvedObject.Kind = "Pod" }))
	require.Equal(t, "SyncLoadBalancerFailed: throttled; SyncLoadBalancerFailed: quota exceeded, request id: 90ab-3c; SyncLoadBalancerFailed: no subnet",
		c.LastEvents(t.Context(), "Service", "istio-system", "gateway"))
	require.Empty(t, c.LastEvents(t.Context(), "Service", "istio-system", "nobody"))

	c.React("list", "events", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("no") })
	require.Empty(t, c.LastEvents(t.Context(), "Service", "istio-system", "gateway"), "they are no reason to fail")
}
