package sail

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// WaitUninstalled waits until every revision with its istiod in a namespace is gone
// whose Istio is gone or going. Istio
// itself has no finalizer: where somebody deletes it in the background, it is gone at
// once, and the operator uninstalls its revision seconds later.
func WaitUninstalled(ctx context.Context, c *kube.Cluster, namespace string) error {
	var asking Asking
	return c.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		left, err := orphan(ctx, c, namespace)
		if left == "" || err != nil {
			return "", err == nil, err
		}
		return asking.About(ctx, c, left, true), false, nil
	}, kube.Watched{Resource: kinds.IstioRevisions}, kube.Watched{Resource: kinds.Istios})
}

// WaitGone waits until an Istio or IstioCNI that is being deleted is gone, and tells
// whether the operator runs that has to let it go.
func WaitGone(ctx context.Context, w *kube.Writer, res kinds.Resource, obj *unstructured.Unstructured) error {
	var asking Asking
	return w.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		live, err := w.Find(ctx, res, obj)
		if live == nil {
			return "", err == nil, err
		}
		return asking.About(ctx, w.Cluster, kube.BeingDeleted(live), true), false, nil
	}, kube.Watched{Resource: res, Name: obj.GetName()})
}

// orphan describes a revision without an Istio that stays, or returns nothing.
func orphan(ctx context.Context, c *kube.Cluster, namespace string) (string, error) {
	revisions, err := c.List(ctx, kinds.IstioRevisions, "", "")
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("list the revisions of Istio: %w", err)
	}
	istios, err := c.List(ctx, kinds.Istios, "", "")
	if err != nil {
		return "", fmt.Errorf("list the Istio resources: %w", err)
	}
	stays := map[types.UID]bool{}
	for _, i := range istios {
		stays[i.GetUID()] = i.GetDeletionTimestamp() == nil
	}
	for i := range revisions {
		rev := &revisions[i]
		owner := metav1.GetControllerOf(rev)
		if in, _, _ := unstructured.NestedString(rev.Object, "spec", "namespace"); in != namespace {
			continue
		}
		if owner != nil && owner.Kind == kinds.Istios.Kind && !stays[owner.UID] {
			rev.SetGroupVersionKind(kinds.IstioRevisions.GroupVersion().WithKind(kinds.IstioRevisions.Kind))
			return kube.BeingDeleted(rev), nil
		}
	}
	return "", nil
}
