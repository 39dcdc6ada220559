package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// An object that a person made under a name of Landbridge's own is adopted where the writer
// may: a Secret keeps what it was, and instead of its removal it becomes that again
// (docs/adr/0015-adopt-and-give-back.md).

// A Secret keeps under these keys what an object was, and its UID then.
const (
	originalKey = "object.json"
	originalUID = "uid"
)

// NoteGivenBack says in a plan, a result and a report what becomes of an adopted object.
const NoteGivenBack = "existed before; is again what it was"

// adopt makes an object of a person's the fleet's.
func (w *Writer) adopt(ctx context.Context, res kinds.Resource, obj, live *unstructured.Unstructured, hash string) error {
	if live.GetDeletionTimestamp() != nil {
		return &NotReadyError{Waiting: BeingDeleted(live)}
	}
	if field := Fixed(res.Kind, live.Object, obj.Object); field != "" {
		return &DeadEndError{Reason: fmt.Sprintf("%s %s cannot be adopted: its %s cannot be changed; remove it, then try again", res.Kind, path(obj.GetNamespace(), obj.GetName()), field)}
	}
	ch := change(fleet.Adopt, res, obj, "a cleanup gives it back as it is")
	if !w.DryRun {
		if err := w.KeepOriginal(ctx, live); err != nil {
			return err
		}
	}
	annotate(obj, fleet.AnnotationApplied, hash)
	annotate(obj, fleet.AnnotationRun, w.Owner.Run)
	annotate(obj, fleet.AnnotationOriginal, originalName(live))
	defer func(was bool) { w.ForceConflicts = was }(w.ForceConflicts)
	w.ForceConflicts = true // its fields are those of whoever made it
	return w.patch(ctx, res, obj, ch, live)
}

// KeepOriginal writes down what an object is, without what the API server keeps of it.
func (w *Writer) KeepOriginal(ctx context.Context, live *unstructured.Unstructured) error {
	data, err := json.Marshal(essence(live))
	if err != nil {
		return err
	}
	// The plan names the adopted object alone.
	quiet := &Writer{Cluster: w.Cluster, Owner: w.Owner, Lock: w.Lock, ForceConflicts: true}
	return quiet.Apply(ctx, &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kinds.Secrets.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: fleet.SystemNamespace, Name: originalName(live)}, Data: map[string][]byte{originalKey: data, originalUID: []byte(live.GetUID())}})
}

// essence returns an object as a person writes it.
func essence(live *unstructured.Unstructured) map[string]any {
	obj := live.DeepCopy()
	delete(obj.Object, "status")
	obj.Object["metadata"] = map[string]any{"name": live.GetName(), "namespace": live.GetNamespace()}
	if labels := live.GetLabels(); len(labels) > 0 {
		obj.SetLabels(labels)
	}
	if annotations := live.GetAnnotations(); len(annotations) > 0 {
		obj.SetAnnotations(annotations)
	}
	return obj.Object
}

// originalPrefix begins the names of Secrets that keep what an object was.
const originalPrefix = "original-"

func originalName(obj *unstructured.Unstructured) string {
	return originalPrefix + strings.ToLower(obj.GetKind()) + "-" + obj.GetName()
}

// Adopted says whether an object was there before Landbridge, and is given back.
func Adopted(obj *unstructured.Unstructured) bool {
	return obj.GetAnnotations()[fleet.AnnotationOriginal] != ""
}

// giveBack makes an adopted object what it was, then forgets what that was, and then takes
// Landbridge's marks off, so that a try after a crash goes on. Where nobody knows what it
// was, it stays as it is.
func (w *Writer) giveBack(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured) error {
	ch := change(fleet.Update, res, obj, NoteGivenBack)
	if w.DryRun || obj.GetDeletionTimestamp() != nil {
		w.Note(ch)
		return nil
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	was, err := w.original(ctx, obj)
	if err != nil {
		return err
	}
	if was == nil {
		was = withoutMarks(obj)
	} else if obj, err = w.turnInto(ctx, res, obj, marked(was, obj)); obj == nil || err != nil {
		return err
	}
	secrets := w.Client.CoreV1().Secrets(fleet.SystemNamespace)
	if err := secrets.Delete(ctx, originalName(obj), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete Secret %s: %w", path(fleet.SystemNamespace, originalName(obj)), err)
	}
	if _, err := w.turnInto(ctx, res, obj, was); err != nil {
		return err
	}
	w.Note(ch)
	return nil
}

// original returns what an adopted object was, or nil where no Secret says so.
func (w *Writer) original(ctx context.Context, obj *unstructured.Unstructured) (was map[string]any, err error) {
	kept, err := w.Client.CoreV1().Secrets(fleet.SystemNamespace).Get(ctx, originalName(obj), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what %s %s was: %w", obj.GetKind(), path(obj.GetNamespace(), obj.GetName()), err)
	}
	if err := json.Unmarshal(kept.Data[originalKey], &was); err != nil {
		return nil, &DeadEndError{Reason: fmt.Sprintf("Secret %s does not say what %s %s was: %v; make that object what it was by hand, then delete the Secret",
			path(fleet.SystemNamespace, kept.Name), obj.GetKind(), path(obj.GetNamespace(), obj.GetName()), err)}
	}
	return was, nil
}

// turnInto patches exactly this object, in the state in which it was read, and returns what
// it is then, or nil where it is gone.
func (w *Writer) turnInto(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured, want map[string]any) (*unstructured.Unstructured, error) {
	is, err := json.Marshal(essence(obj))
	if err != nil {
		return nil, err
	}
	to, err := json.Marshal(want)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(is, to)
	if err != nil {
		return nil, err
	}
	if string(patch) == "{}" {
		return obj, nil
	}
	exactly := fmt.Sprintf(`{"metadata": {"uid": %q, "resourceVersion": %q}}`, obj.GetUID(), obj.GetResourceVersion())
	if patch, err = jsonpatch.MergeMergePatches(patch, []byte(exactly)); err != nil {
		return nil, err
	}
	now, err := w.In(res, obj.GetNamespace()).Patch(ctx, obj.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("give %s %s back: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
	}
	return now, nil
}

// ownLabels lists the labels by which Landbridge knows an object.
var ownLabels = []string{fleet.LabelFleet, fleet.LabelComponent, fleet.LabelLink, fleet.LabelManagedBy}

// marked returns an object with the marks by which Landbridge knows another one.
func marked(object map[string]any, by *unstructured.Unstructured) map[string]any {
	out := (&unstructured.Unstructured{Object: object}).DeepCopy()
	for _, k := range ownLabels {
		if v, ok := by.GetLabels()[k]; ok {
			addLabels(out, map[string]string{k: v})
		}
	}
	for k, v := range by.GetAnnotations() {
		if strings.HasPrefix(k, fleet.Domain+"/") {
			annotate(out, k, v)
		}
	}
	return out.Object
}

// withoutMarks returns an object as it is, without those marks.
func withoutMarks(obj *unstructured.Unstructured) map[string]any {
	out := obj.DeepCopy()
	labels, annotations := out.GetLabels(), out.GetAnnotations()
	maps.DeleteFunc(labels, func(k, _ string) bool { return slices.Contains(ownLabels, k) })
	maps.DeleteFunc(annotations, func(k, _ string) bool { return strings.HasPrefix(k, fleet.Domain+"/") })
	out.SetLabels(labels)
	out.SetAnnotations(annotations)
	return essence(out)
}
