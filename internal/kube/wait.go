package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// pollInterval is between two looks; a cloud's address takes minutes, and
// every look of a large fleet is a request.
const pollInterval = time.Second

// NotReadyError says what is still waited for.
type NotReadyError struct{ Waiting string }

func (e *NotReadyError) Error() string { return e.Waiting }

// Poll looks until done, and heartbeats what it waits for, which is how
// cancellation reaches it. A look that fails is tried again as long as the
// error may pass. It returns ctx.Err() when the context is cancelled, and a
// *NotReadyError when its deadline passes first.
func Poll(ctx context.Context, look func(context.Context) (waiting string, done bool, err error)) error {
	ctx, cancel := beforeDeadline(ctx)
	defer cancel()
	last := ""
	for {
		waiting, done, err := look(ctx)
		if done {
			return nil
		}
		if err != nil && !passing(err) {
			return err
		}
		if err != nil {
			waiting = err.Error()
		}
		if waiting != "" {
			last = waiting
		}
		Waiting(ctx, last)
		select {
		case <-ctx.Done():
			if ctx.Err() == context.DeadlineExceeded && last != "" {
				return &NotReadyError{last}
			}
			return ctx.Err()
		case <-stopping(ctx):
			// Another worker, or this one when it is back, goes on waiting.
			return &NotReadyError{"the worker is stopping; " + last}
		case <-time.After(pollInterval):
		}
	}
}

// stopping is closed when the worker is asked to stop.
func stopping(ctx context.Context) <-chan struct{} {
	if !activity.IsActivity(ctx) {
		return nil
	}
	return activity.GetWorkerStopChannel(ctx)
}

// lastWord is how long before its deadline a wait gives up, so that what it
// waited for reaches Temporal before Temporal stops listening.
const lastWord = 2 * time.Second

func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if d, ok := ctx.Deadline(); ok && activity.IsActivity(ctx) && time.Until(d) > 2*lastWord {
		return context.WithDeadline(ctx, d.Add(-lastWord))
	}
	return ctx, func() {}
}

// passing says whether an error of a read may pass by itself: the network's, or
// an API server that is busy or not quite there.
func passing(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
			apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err)
	}
	var network *url.Error
	return errors.As(err, &network)
}

// WaitDeployment waits until every replica of a Deployment runs the current
// template and is available.
func (c *Cluster) WaitDeployment(ctx context.Context, namespace, name string) error {
	return Poll(ctx, func(ctx context.Context) (string, bool, error) {
		d, err := c.Client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return "", false, err
		}
		return deploymentReady(d)
	})
}

func deploymentReady(d *appsv1.Deployment) (string, bool, error) {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	if s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= want && s.AvailableReplicas >= want && s.Replicas == s.UpdatedReplicas {
		return "", true, nil
	}
	why := ""
	for _, c := range s.Conditions {
		if c.Status != corev1.ConditionTrue && c.Message != "" {
			why = ": " + c.Message
		}
	}
	return fmt.Sprintf("Deployment %s/%s has %d of %d replicas available%s", d.Namespace, d.Name, s.AvailableReplicas, want, why), false, nil
}

// maxEvents is how many of an object's events go into a message.
const maxEvents = 3

// LastEvents are the newest events of an object, newest first, as one line, or
// empty. They are what the cloud or a controller says of it.
func (c *Cluster) LastEvents(ctx context.Context, kind, namespace, name string) string {
	list, err := c.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{
		"involvedObject.kind": kind, "involvedObject.name": name}.String()})
	if err != nil {
		return ""
	}
	sort.Slice(list.Items, func(i, j int) bool { return eventTime(list.Items[i]).After(eventTime(list.Items[j])) })
	var out []string
	for i, e := range list.Items {
		if i == maxEvents {
			break
		}
		out = append(out, e.Reason+": "+e.Message)
	}
	return strings.Join(out, "; ")
}

func eventTime(e corev1.Event) time.Time {
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
