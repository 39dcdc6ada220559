package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// FieldManager is Landbridge's name in managedFields.
const FieldManager = "landbridge"

// Owner says on whose behalf something is written.
type Owner struct {
	// Fleet that everything belongs to.
	Fleet string
	// Component is the step that an object belongs to.
	Component string
	// Link is the link's ID, or empty for what belongs to the cluster.
	Link string
	// Run is the run that works now.
	Run string
	// Request is why it runs, for the people who look at an object later.
	Request fleet.Request
}

// Writer changes one cluster on behalf of one step of one run, and remembers
// what it did. It is not for use by several goroutines.
type Writer struct {
	*Cluster
	Owner Owner
	// DryRun only notes what would be done.
	DryRun bool
	// ForceConflicts overwrites what somebody else changed; without it that is a *DriftError.
	ForceConflicts bool
	// Render notes each object as it would be applied too, for who applies it by
	// other means.
	Render bool
	// Claim is asked once, before the first write: whoever writes must hold the
	// cluster's record. Nil asks nobody.
	Claim func(context.Context) error

	claimed bool
	changes fleet.Changes
}

// Changes is what was done so far.
func (w *Writer) Changes() fleet.Changes { return w.changes }

// Note adds a change that something else than the writer made, such as Helm.
func (w *Writer) Note(c ...fleet.Change) { w.changes.Changes = append(w.changes.Changes, c...) }

// NoteApplied adds a change with the object that it applies, where these are asked
// for. A Secret's is never noted.
func (w *Writer) NoteApplied(c fleet.Change, object any) error {
	if w.Render && c.Kind != kinds.Secrets.Kind {
		manifest, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		c.Cluster, c.Manifest = w.Name, string(manifest)
	}
	w.Note(c)
	return nil
}

// NotOursError is an object that is there already and that Landbridge did not make.
type NotOursError struct{ Kind, Namespace, Name, Owner string }

func (e *NotOursError) Error() string {
	who := "was not made by Landbridge"
	if e.Owner != "" {
		who = "belongs to the fleet " + e.Owner
	}
	return fmt.Sprintf("%s %s exists already and %s; rename or remove it, then try again", e.Kind, path(e.Namespace, e.Name), who)
}

// DriftError is an object that somebody else changed since it was applied.
type DriftError struct{ Kind, Namespace, Name, Fields string }

func (e *DriftError) Error() string {
	return fmt.Sprintf("%s %s was changed by somebody else (%s) and is left as it is; `landbridge drift` shows it, `landbridge rollout --force-conflicts` puts it back", e.Kind, path(e.Namespace, e.Name), e.Fields)
}

func path(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// BeforeWrite makes sure that this run may write. Apply and Remove call it; so
// must whoever writes by other means.
func (w *Writer) BeforeWrite(ctx context.Context) error {
	if w.claimed || w.Claim == nil {
		return nil
	}
	if err := w.Claim(ctx); err != nil {
		return err
	}
	w.claimed = true
	return nil
}

// Apply makes the object what it should be by server-side apply, with
// Landbridge's labels on it. It writes only where the live object differs.
// The error is a *NotOursError where somebody else made the object.
func (w *Writer) Apply(ctx context.Context, object any) error {
	obj, res, err := toUnstructured(object)
	if err != nil {
		return err
	}
	labels := map[string]string{fleet.LabelFleet: w.Owner.Fleet, fleet.LabelManagedBy: fleet.ManagedBy}
	if w.Owner.Component != "" {
		labels[fleet.LabelComponent] = w.Owner.Component
	}
	if w.Owner.Link != "" {
		labels[fleet.LabelLink] = w.Owner.Link
	}
	addLabels(obj, labels)
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
		return &NotOursError{res.Kind, obj.GetNamespace(), obj.GetName(), owner}
	}
	note := difference(live.Object, obj.Object)
	if note == "" && live.GetAnnotations()[fleet.AnnotationApplied] == hash {
		return w.NoteApplied(change(fleet.Keep, res, obj, ""), obj)
	}
	annotate(obj, fleet.AnnotationApplied, hash)
	annotate(obj, fleet.AnnotationRun, live.GetAnnotations()[fleet.AnnotationRun])
	ch := change(fleet.Update, res, obj, note)
	// The wanted state is that of the last time, the object is not: somebody else did it.
	ch.Drift = note != "" && live.GetAnnotations()[fleet.AnnotationApplied] == hash
	if ch.Drift && !w.ForceConflicts && !w.DryRun {
		return &DriftError{res.Kind, obj.GetNamespace(), obj.GetName(), note}
	}
	return w.patch(ctx, res, obj, ch, live)
}

// patch applies the object, which is live already or nil. Where the wanted state
// changed too, the API server says which fields somebody else has set meanwhile.
func (w *Writer) patch(ctx context.Context, res kinds.Resource, obj *unstructured.Unstructured, ch fleet.Change, live *unstructured.Unstructured) error {
	if w.DryRun {
		ch.Fields = fieldsOf(live, obj)
	}
	annotate(obj, fleet.AnnotationReason, w.Owner.Request.Reason)
	annotate(obj, fleet.AnnotationRequestedBy, w.Owner.Request.RequestedBy)
	if !w.DryRun {
		if err := w.BeforeWrite(ctx); err != nil {
			return err
		}
		data, err := json.Marshal(obj)
		if err != nil {
			return err
		}
		_, err = w.In(res, obj.GetNamespace()).Patch(ctx, obj.GetName(), types.ApplyPatchType, data,
			metav1.PatchOptions{FieldManager: FieldManager, Force: &w.ForceConflicts})
		if others := conflicting(err); others != "" {
			return &DriftError{res.Kind, obj.GetNamespace(), obj.GetName(), others}
		}
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", res.Kind, path(obj.GetNamespace(), obj.GetName()), err)
		}
	}
	return w.NoteApplied(ch, obj)
}

// conflicting are the fields that server-side apply leaves to those who set them,
// with their names.
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

// Get reads one object. The error is Kubernetes' own.
func (c *Cluster) Get(ctx context.Context, res kinds.Resource, namespace, name string) (*unstructured.Unstructured, error) {
	return c.In(res, namespace).Get(ctx, name, metav1.GetOptions{})
}

// In is the client for a resource in a namespace, or cluster-wide.
func (c *Cluster) In(res kinds.Resource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return c.Dynamic.Resource(res.GroupVersionResource)
	}
	return c.Dynamic.Resource(res.GroupVersionResource).Namespace(namespace)
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
		return nil, kinds.Resource{}, fmt.Errorf("kind %s is not in kinds.go", obj.GroupVersionKind())
	}
	return obj, res, nil
}

func addLabels(obj *unstructured.Unstructured, add map[string]string) {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	for k, v := range add {
		labels[k] = v
	}
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

// digest of what is wanted. JSON sorts a map's keys, so it is stable.
func digest(obj *unstructured.Unstructured) (string, error) {
	data, err := json.Marshal(obj.Object)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}
