package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Selector finds what belongs to the writer's owner: its fleet and component,
// and its link where one is given.
func (w *Writer) Selector() string { return labels.Set(w.Owner.Labels()).String() }

// Owned lists what belongs to the writer's owner. With onlyRun it lists only
// what that run created. A kind that the cluster does not know has no objects.
func (w *Writer) Owned(ctx context.Context, res kinds.Resource, namespace, onlyRun string) ([]unstructured.Unstructured, error) {
	list, err := w.In(res, namespace).List(ctx, metav1.ListOptions{LabelSelector: w.Selector()})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", res.Resource, err)
	}
	var out []unstructured.Unstructured
	for _, obj := range list.Items {
		if onlyRun == "" || obj.GetAnnotations()[fleet.AnnotationRun] == onlyRun {
			out = append(out, obj)
		}
	}
	return out, nil
}

// Remove deletes what Owned lists, and returns when it is gone, so that what
// comes after in the order of cleanup does not overtake it.
func (w *Writer) Remove(ctx context.Context, res kinds.Resource, namespace, onlyRun string) error {
	objs, err := w.Owned(ctx, res, namespace, onlyRun)
	if err != nil {
		return err
	}
	return w.RemoveThese(ctx, res, objs)
}

// RemoveThese deletes objects of one kind, and returns when they are gone.
func (w *Writer) RemoveThese(ctx context.Context, res kinds.Resource, objs []unstructured.Unstructured) error {
	for i := range objs {
		if err := w.Delete(ctx, res, &objs[i]); err != nil {
			return err
		}
	}
	if w.DryRun {
		return nil
	}
	for i := range objs {
		if Adopted(&objs[i]) {
			continue
		}
		if err := w.WaitGone(ctx, res, &objs[i]); err != nil {
			return err
		}
	}
	return nil
}

// Delete asks for the deletion of exactly this object, not of another one that
// took its name. Not found means done. An adopted object is given back instead.
func (w *Writer) Delete(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) error {
	if Adopted(obj) {
		return w.giveBack(ctx, res, obj)
	}
	if !w.DryRun && obj.GetDeletionTimestamp() == nil {
		if err := w.deleteExactly(ctx, res, obj); err != nil {
			return err
		}
	}
	w.Note(change(fleet.Remove, res, obj, ""))
	return nil
}

func (w *Writer) deleteExactly(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) error {
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	uid, policy := obj.GetUID(), metav1.DeletePropagationBackground
	if w.Foreground {
		policy = metav1.DeletePropagationForeground
	}
	hearing, gone := hearingGone(ctx)
	err := w.In(res, obj.GetNamespace()).Delete(hearing, obj.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &policy})
	if apierrors.IsConflict(err) { // another object of that name, or a write at the same time
		live, failed := w.Find(ctx, res, obj)
		if failed != nil || live == nil {
			err = failed
		}
	}
	if *gone || apierrors.IsNotFound(err) {
		w.gone = append(w.gone, uid)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
	}
	return nil
}

// WaitGone waits until this object is no longer there. The heartbeat and the error
// tell what keeps it. It asks nothing where the answer to the deletion said that it is gone.
func (w *Writer) WaitGone(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) error {
	if slices.Contains(w.gone, obj.GetUID()) {
		return nil
	}
	if res == kinds.Namespaces {
		return w.WaitNamespacesGone(ctx, obj)
	}
	return w.WaitObject(ctx, func(ctx context.Context) (*unstructured.Unstructured, string, bool, error) {
		live, err := w.Find(ctx, res, obj)
		if live == nil {
			return nil, "", err == nil, err
		}
		return live, BeingDeleted(live), false, nil
	}, Watched{Resource: res, Namespace: obj.GetNamespace(), Name: obj.GetName()})
}

// BeingDeleted describes an object that is being deleted, and what keeps it.
func BeingDeleted(obj *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s is still being deleted%s", obj.GetKind(), path(obj.GetNamespace(), obj.GetName()), Kept(obj))
}

// Kept tells what keeps an object that is being deleted: the finalizers on it, and for
// a namespace what Kubernetes finds in the way.
func Kept(obj *unstructured.Unstructured) string {
	out := ""
	switch by := obj.GetFinalizers(); len(by) {
	case 0:
	case 1:
		out = ", held by the finalizer " + by[0]
	default:
		out = ", held by the finalizers " + listed(by)
	}
	if obj.GetKind() == kinds.Namespaces.Kind {
		out += complaints(obj) + remedy(obj)
	}
	return out
}

// Find reads exactly this object, not another one that took its name, and returns nil
// where it is no longer there.
func (w *Writer) Find(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live, err := w.Get(ctx, res, obj.GetNamespace(), obj.GetName())
	if apierrors.IsNotFound(err) || err == nil && live.GetUID() != obj.GetUID() {
		return nil, nil
	}
	return live, err
}
