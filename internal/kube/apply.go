package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Apply makes the object what it should be by server-side apply, with
// Landbridge's labels on it. It writes only where the live object differs.
// The error is a *NotOursError where somebody else made the object, and the writer may not
// adopt it.
func (w *Writer) Apply(ctx context.Context, object any) error {
	obj, res, err := w.labelled(object)
	if err != nil {
		return err
	}
	hash, err := digest(obj)
	if err != nil {
		return err
	}
	live, err := w.Get(ctx, res, obj.GetNamespace(), obj.GetName())
	switch {
	case apierrors.IsNotFound(err):
		annotate(obj, fleet.AnnotationApplied, hash)
		annotate(obj, fleet.AnnotationRun, w.Owner.Run)
		return w.patch(ctx, res, obj, change(fleet.Create, res, obj, ""), nil)
	case err != nil:
		return err
	}
	if owner := live.GetLabels()[fleet.LabelFleet]; owner != w.Owner.Fleet {
		if owner == "" && w.Adopt {
			return w.adopt(ctx, res, obj, live, hash)
		}
		return &NotOursError{res.Kind, obj.GetNamespace(), obj.GetName(), owner}
	}
	var by fleet.ChangedBy
	note := difference(live.Object, obj.Object)
	wantedBefore := live.GetAnnotations()[fleet.AnnotationApplied] == hash
	added := paths(additions(res, live, obj))
	strayed := added
	if wantedBefore && note != "" {
		// The object is not what was wanted then: admission did it, or somebody since.
		strayed, note = append(Strayed(live, obj.Object), added...), ""
	}
	if len(strayed) > 0 {
		note, by = strayed[0], ChangedBy(live, strayed)
	}
	if wantedBefore && note == "" {
		return w.NoteApplied(change(w.Owner.Since(fleet.Keep, live.GetAnnotations()), res, obj, ""), obj)
	}
	annotate(obj, fleet.AnnotationApplied, hash)
	annotate(obj, fleet.AnnotationRun, live.GetAnnotations()[fleet.AnnotationRun])
	annotate(obj, fleet.AnnotationOriginal, live.GetAnnotations()[fleet.AnnotationOriginal])
	ch := change(w.Owner.Since(fleet.Update, live.GetAnnotations()), res, obj, note)
	ch.Drift, ch.ChangedBy = wantedBefore || len(added) > 0, by
	if ch.Drift && !w.ForceConflicts && !w.DryRun {
		return &DriftError{Kind: res.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), Fields: note, By: by}
	}
	if !ch.Drift && note != "" {
		ch.Note = note + " differs"
	}
	if field := Fixed(res.Kind, live.Object, obj.Object); field != "" {
		ch.Note = MadeAnew(field)
		if err := w.removeForAnew(ctx, res, live); err != nil {
			return err
		}
		if !w.DryRun {
			live = nil // and what somebody added went with it
		}
	}
	return w.patch(ctx, res, obj, ch, live)
}

// labelled returns the object with the labels that say whose it is.
func (w *Writer) labelled(object any) (*unstructured.Unstructured, kinds.Resource, error) {
	obj, res, err := toUnstructured(object)
	if err == nil {
		addLabels(obj, w.Owner.Labels())
		addLabels(obj, map[string]string{fleet.LabelManagedBy: fleet.ManagedBy})
	}
	return obj, res, err
}

// patch applies the object over the live one, which may be nil. Where the wanted state
// changed too, the API server names the fields that somebody else has set meanwhile.
func (w *Writer) patch(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured, ch fleet.Change, live *unstructured.Unstructured) error {
	added := additions(res, live, obj)
	if w.DryRun {
		ch.Fields = append(fieldsOf(live, obj), fieldsOfAdded(res, added)...)
		if err := w.try(ctx, res, obj); err != nil {
			return err
		}
	}
	annotate(obj, fleet.AnnotationReason, w.Owner.Request.Reason)
	annotate(obj, fleet.AnnotationRequestedBy, w.Owner.Request.RequestedBy)
	if !w.DryRun {
		if err := w.BeforeWrite(ctx); err != nil {
			return err
		}
		if err := w.takeOut(ctx, res, live, added); err != nil {
			return err
		}
		data, err := json.Marshal(obj)
		if err != nil {
			return err
		}
		_, err = w.In(res, obj.GetNamespace()).Patch(ctx, obj.GetName(), types.ApplyPatchType, data,
			metav1.PatchOptions{FieldManager: FieldManager, Force: &w.ForceConflicts})
		if others := conflicting(err); others != "" {
			return &DriftError{Kind: res.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), Fields: others}
		}
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
		}
	}
	return w.NoteApplied(ch, obj)
}

// try asks the API server whether it would take one of Sail's resources: what people write
// into their values is typed. Every other object is of Landbridge's own making.
func (w *Writer) try(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) error {
	if res.Group != kinds.Istios.Group {
		return nil
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	force := true
	_, err = w.In(res, obj.GetNamespace()).Patch(ctx, obj.GetName(), types.ApplyPatchType, data,
		metav1.PatchOptions{FieldManager: FieldManager, Force: &force, DryRun: []string{metav1.DryRunAll}})
	if UnknownField(err) || apierrors.IsInvalid(err) {
		return fmt.Errorf("apply %s %s: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
	}
	return nil
}

// conflicting lists the fields that server-side apply leaves to those who set them,
// with who that is.
func conflicting(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return ""
	}
	var out []string
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeFieldManagerConflict {
			out = append(out, strings.TrimPrefix(c.Field, ".")+": "+c.Message)
		}
	}
	return strings.Join(out, "; ")
}

func change(a fleet.Action, res kinds.Resource, obj *unstructured.Unstructured, note string) fleet.Change {
	return fleet.Change{Action: a, Kind: res.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), Note: note}
}

// toUnstructured goes through JSON, since Istio's types marshal themselves.
func toUnstructured(object any) (*unstructured.Unstructured, kinds.Resource, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, kinds.Resource{}, err
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(data); err != nil {
		return nil, kinds.Resource{}, err
	}
	delete(obj.Object, "status")
	unstructured.RemoveNestedField(obj.Object, "metadata", "creationTimestamp")
	res, ok := kinds.ResourceOf(obj.GroupVersionKind())
	if !ok {
		return nil, kinds.Resource{}, fmt.Errorf("kind %s is not in internal/kinds", obj.GroupVersionKind())
	}
	return obj, res, nil
}

func addLabels(obj *unstructured.Unstructured, add map[string]string) {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, add)
	obj.SetLabels(labels)
}

func annotate(obj *unstructured.Unstructured, key, value string) {
	if value == "" {
		return
	}
	a := obj.GetAnnotations()
	if a == nil {
		a = map[string]string{}
	}
	a[key] = value
	obj.SetAnnotations(a)
}

// digest identifies what is wanted. JSON sorts a map's keys, so it is stable.
func digest(obj *unstructured.Unstructured) (string, error) {
	data, err := json.Marshal(obj.Object)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}
