package kube

import (
	"context"
	"errors"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/kinds"
)

// WaitDeployment waits until every replica of a Deployment runs the current
// template and is available. It ends at once where waiting changes nothing: with a
// *DeadEndError past the progress deadline, and with a *NotReadyError where the
// Deployment is being deleted, since another try makes it again. The errors hold
// what the Deployment says, and the warnings about it and its pods.
func (c *Cluster) WaitDeployment(ctx context.Context, namespace, name string) error {
	var live *unstructured.Unstructured
	err := Poll(ctx, func(ctx context.Context) (string, bool, error) {
		obj, err := c.Get(ctx, kinds.Deployments, namespace, name)
		if err != nil {
			return "", false, err
		}
		live = obj
		waiting, err := rollout(obj)
		return waiting, waiting == "" && err == nil, err
	})
	var deadEnd *DeadEndError
	var notReady *NotReadyError
	var stopping *StoppingError
	switch {
	case errors.As(err, &stopping): // there is no time to ask for more
	case errors.As(err, &deadEnd):
		return &DeadEndError{deadEnd.Reason + c.warnings(ctx, live)}
	case errors.As(err, &notReady) && live != nil:
		return &NotReadyError{notReady.Waiting + c.warnings(ctx, live)}
	}
	return err
}

// rollout returns what a Deployment still waits for, or nothing when it is done.
// kstatus decides; a Deployment without conditions is not ready, since its
// controller has not looked at it yet.
func rollout(obj *unstructured.Unstructured) (waiting string, err error) {
	what := fmt.Sprintf("Deployment %s/%s", obj.GetNamespace(), obj.GetName())
	res, err := status.Compute(obj)
	if err != nil {
		return "", fmt.Errorf("read the status of %s: %w", what, err)
	}
	switch res.Status {
	case status.CurrentStatus:
		return "", nil
	case status.FailedStatus:
		return "", &DeadEndError{what + " cannot become ready" + complaints(obj)}
	case status.TerminatingStatus:
		return "", &NotReadyError{what + " is being deleted while it is waited for"}
	}
	return fmt.Sprintf("%s is not ready yet (%s)%s", what, res.Message, complaints(obj)), nil
}

// warnings lists the newest warnings about a Deployment, its ReplicaSets and its
// pods, in brackets. It is empty where there are none, and where they cannot be
// read: the wait has failed by then, and that is the news.
func (c *Cluster) warnings(ctx context.Context, d *unstructured.Unstructured) string {
	about := map[string]bool{"Deployment/" + d.GetName(): true}
	selector, _, _ := unstructured.NestedStringMap(d.Object, "spec", "selector", "matchLabels")
	pods, err := c.Client.CoreV1().Pods(d.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: labels.Set(selector).String()})
	if err != nil {
		return ""
	}
	for _, pod := range pods.Items {
		about["Pod/"+pod.Name] = true
		for _, owner := range pod.OwnerReferences {
			about[owner.Kind+"/"+owner.Name] = true
		}
	}
	events, err := c.Client.CoreV1().Events(d.GetNamespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return ""
	}
	said := newest(events.Items, func(e corev1.Event) bool {
		return e.Type == corev1.EventTypeWarning && about[e.InvolvedObject.Kind+"/"+e.InvolvedObject.Name]
	})
	if said == "" {
		return ""
	}
	return " (" + said + ")"
}
