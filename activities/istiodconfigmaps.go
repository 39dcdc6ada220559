package activities

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// istiodConfigMaps selects the ConfigMaps with the mesh's root and its revocations,
// which istiod writes into every namespace and leaves there.
const istiodConfigMaps = "istio.io/config=true"

// removeIstiodConfigMaps removes them where no istiod needs them any more. A worker
// that may not look into every namespace leaves them: they are public.
func removeIstiodConfigMaps(ctx context.Context, w *kube.Writer, namespace string) error {
	used, err := istiodIsLeft(ctx, w.Cluster)
	if used || err != nil {
		return err
	}
	if err := waitIstiodGone(ctx, w.Cluster, namespace); err != nil {
		return err
	}
	list, err := w.In(kinds.ConfigMaps, "").List(ctx, metav1.ListOptions{LabelSelector: istiodConfigMaps})
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return wrap(err, "list istiod's ConfigMaps")
	}
	for i := range list.Items {
		if err := w.Delete(ctx, kinds.ConfigMaps, &list.Items[i]); err != nil && !apierrors.IsForbidden(err) {
			return err
		}
	}
	return nil
}

// istiodIsLeft looks for another Istio resource, and for an istiod in any namespace.
// Where the worker may not look, it counts as one that is left.
func istiodIsLeft(ctx context.Context, c *kube.Cluster) (bool, error) {
	istios, err := c.In(kinds.Istios, "").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return false, wrap(err, "list the Istio resources")
	}
	if len(istios.Items) > 0 {
		return true, nil
	}
	istiods, err := c.Client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods, Limit: 1})
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	if err != nil {
		return false, wrap(err, "look for another istiod")
	}
	return len(istiods.Items) > 0, nil
}

// waitIstiodGone waits for the last pod of istiod, which would write its ConfigMaps
// again while it stops.
func waitIstiodGone(ctx context.Context, c *kube.Cluster, namespace string) error {
	return c.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		pods, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
		if err != nil {
			return "", apierrors.IsForbidden(err), err
		}
		return "istiod is stopping", len(pods.Items) == 0, nil
	}, kube.Watched{Resource: kinds.Pods, Namespace: namespace, Labels: fleet.IstiodPods})
}
