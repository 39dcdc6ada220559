package kube

import (
	"context"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/kinds"
)

// WaitDeployment waits until every replica of a Deployment runs the current
// template and is available. It ends at once where waiting changes nothing: with a
// *DeadEndError past the progress deadline, and with a *NotReadyError where the
// Deployment is being deleted, since another try makes it again. The errors hold
// what the Deployment says, and why it does not get on.
func (c *Cluster) WaitDeployment(ctx context.Context, namespace, name string) error {
	return c.WaitObject(ctx, func(ctx context.Context) (*unstructured.Unstructured, string, bool, error) {
		obj, err := c.Get(ctx, kinds.Deployments, namespace, name)
		if err != nil {
			return nil, "", false, err
		}
		waiting, err := Rollout(obj)
		return obj, waiting, waiting == "" && err == nil, err
	}, Watched{Resource: kinds.Deployments, Namespace: namespace, Name: name})
}

// ScaleUp gives a Deployment at least so many replicas. Its autoscaler would do so too,
// but at its next look, a quarter of a minute later, and until then one pod would count
// as all of them. One that is scaled to 0 is off, and an autoscaler leaves it so as well.
func (w *Writer) ScaleUp(ctx context.Context, namespace, name string, replicas int) error {
	obj, err := w.Get(ctx, kinds.Deployments, namespace, name)
	if err != nil {
		return err
	}
	have, _, err := unstructured.NestedInt64(obj.Object, "spec", "replicas")
	if err != nil || have == 0 || have >= int64(replicas) {
		return err
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err = w.In(kinds.Deployments, namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	return err
}

// Rollout returns what a Deployment or DaemonSet still waits for, or nothing when it is
// done. kstatus decides; a Deployment without conditions is not ready, since its
// controller has not looked at it yet.
func Rollout(obj *unstructured.Unstructured) (waiting string, err error) {
	what := fmt.Sprintf("%s %s/%s", obj.GetKind(), obj.GetNamespace(), obj.GetName())
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
