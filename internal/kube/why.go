package kube

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// A wait asks why only when it has lasted for whyAfter, and again each whyEvery: that takes
// two requests more, and nobody reads it quicker.
const (
	whyAfter = 1500 * time.Millisecond
	whyEvery = 5 * time.Second
)

// WaitObject waits for one object, as Wait does, and adds to what is waited for why that
// does not get on. A look returns the object that it saw.
func (c *Cluster) WaitObject(ctx context.Context, look func(context.Context) (obj *unstructured.Unstructured, waiting string, done bool, err error), of ...Watched) error {
	var live *unstructured.Unstructured
	ask, said := time.Now().Add(whyAfter), ""
	err := c.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		obj, waiting, done, err := look(ctx)
		if obj != nil {
			live = obj
		}
		if waiting == "" || done || err != nil {
			return waiting, done, err
		}
		if now := time.Now(); !now.Before(ask) {
			ask, said = now.Add(whyEvery), c.Why(ctx, live)
		}
		return waiting + said, false, nil
	}, of...)
	var deadEnd *DeadEndError
	var notReady *NotReadyError
	var stopping *StoppingError
	switch {
	case live == nil, errors.As(err, &stopping): // there is nothing, or no time, to ask for more
	case errors.As(err, &deadEnd):
		return &DeadEndError{deadEnd.Reason + c.Why(ctx, live)}
	case errors.As(err, &notReady):
		if now := c.Why(ctx, live); now != "" {
			return &NotReadyError{strings.TrimSuffix(notReady.Waiting, said) + now}
		}
	}
	return err
}

// Why tells why an object does not get on, in the words of those who work on it: what its
// pods wait for, and the newest warnings about it, what it owns and its pods. It is in
// brackets, and empty where nobody says anything or it cannot be read: it is asked for
// when a wait has gone on long enough, and that is the news.
func (c *Cluster) Why(ctx context.Context, obj *unstructured.Unstructured) string {
	if obj == nil || obj.GetNamespace() == "" {
		return ""
	}
	pods := c.podsOf(ctx, obj)
	said := podsSay(pods)
	if events, err := c.Client.CoreV1().Events(obj.GetNamespace()).List(ctx, metav1.ListOptions{}); err == nil {
		if warnings := newest(events.Items, func(e corev1.Event) bool {
			return e.Type == corev1.EventTypeWarning && concerns(e.InvolvedObject, obj, pods)
		}); warnings != "" {
			said = append(said, warnings)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}

// podsOf lists the pods of a workload, which every other kind has none of.
func (c *Cluster) podsOf(ctx context.Context, obj *unstructured.Unstructured) []corev1.Pod {
	selector, _, _ := unstructured.NestedStringMap(obj.Object, "spec", "selector", "matchLabels")
	if len(selector) == 0 {
		return nil
	}
	pods, err := c.Client.CoreV1().Pods(obj.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: labels.Set(selector).String()})
	if err != nil {
		return nil
	}
	return pods.Items
}

// concerns returns whether an event is about the object, one of its pods, or a ReplicaSet
// of it. A quota or a policy leaves a ReplicaSet without any pod, so that only its name
// tells whose it is: a Deployment's name and a hash.
func concerns(about corev1.ObjectReference, obj *unstructured.Unstructured, pods []corev1.Pod) bool {
	switch about.Kind {
	case obj.GetKind():
		return about.Name == obj.GetName()
	case "ReplicaSet":
		dash := strings.LastIndex(about.Name, "-")
		return dash > 0 && about.Name[:dash] == obj.GetName()
	case "Pod":
		return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Name == about.Name })
	}
	return false
}

// podsSay tells what keeps pods from running, each reason once: their node, or one of their
// containers. A container that is only being made is no reason.
func podsSay(pods []corev1.Pod) (out []string) {
	say := func(reason, message string) {
		said := reason
		if message != "" {
			said += ": " + message
		}
		if reason != "" && !slices.Contains(out, said) && len(out) < maxEvents {
			out = append(out, said)
		}
	}
	for _, pod := range pods {
		say(pod.Status.Reason, pod.Status.Message)
		for _, cond := range pod.Status.Conditions {
			if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
				say(cond.Reason, cond.Message)
			}
		}
		for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if w := s.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
				say(w.Reason, w.Message)
			}
			if t := s.LastTerminationState.Terminated; t != nil && !s.Ready && t.ExitCode != 0 {
				say(t.Reason, t.Message)
			}
		}
	}
	return out
}
