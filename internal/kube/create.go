package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Create makes an object as Apply does, but never changes one that is there: of two that
// create it at once the first one wins. It returns whether this one did.
func (w *Writer) Create(ctx context.Context, object any) (created bool, err error) {
	obj, res, err := w.labelled(object)
	if err != nil {
		return false, err
	}
	annotate(obj, fleet.AnnotationRun, w.Owner.Run)
	annotate(obj, fleet.AnnotationReason, w.Owner.Request.Reason)
	annotate(obj, fleet.AnnotationRequestedBy, w.Owner.Request.RequestedBy)
	if err := w.BeforeWrite(ctx); err != nil {
		return false, err
	}
	_, err = w.In(res, obj.GetNamespace()).Create(ctx, obj, metav1.CreateOptions{FieldManager: FieldManager})
	if apierrors.IsAlreadyExists(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("create %s %s: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
	}
	return true, w.NoteApplied(change(fleet.Create, res, obj, ""), obj)
}
