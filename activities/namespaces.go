package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentNamespaces = "namespaces"

// EnsureNamespaces does step 4: it makes Istio's namespaces, the control plane's with
// the network label. An existing one that has all that is needed stays as it is. Another one
// is adopted: it gets the labels that it lacks, and cleanup removes no more than those.
func (a *Activities) EnsureNamespaces(ctx context.Context, in api.EnsureNamespacesInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentNamespaces, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if !in.OnlyControlPlane {
		if err := ensureNamespace(ctx, w, in.CNINamespace, nil); err != nil {
			return fleet.Changes{}, err
		}
	}
	if err := ensureNamespace(ctx, w, in.Namespace, map[string]string{fleet.LabelNetwork: in.Network}); err != nil {
		return fleet.Changes{}, err
	}
	return w.Changes(), nil
}

// RemoveNamespaces undoes EnsureNamespaces: it removes the fleet's namespaces, and
// from adopted ones the labels that Landbridge added.
func (a *Activities) RemoveNamespaces(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentNamespaces, in.Link)
	if err != nil {
		return fleet.Changes{}, err
	}
	err = removeNamespaces(ctx, w, in.OnlyRun, in.Namespace, in.CNINamespace)
	return w.Changes(), err
}

func ensureNamespace(ctx context.Context, w *kube.Writer, name string, labels map[string]string) error {
	want := &corev1.Namespace{TypeMeta: typeMeta(kinds.Namespaces), ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	live, err := readNamespace(ctx, w.Cluster, name)
	if err != nil {
		return err
	}
	if live == nil {
		return w.Apply(ctx, want)
	}
	if live.DeletionTimestamp != nil {
		return waitingFor(ctx, w, name)
	}
	switch owner := live.Labels[fleet.LabelFleet]; {
	case owner != "" && owner != w.Owner.Fleet:
		return &kube.NotOursError{Kind: want.Kind, Name: name, Owner: owner}
	case owner != "" && live.Annotations[fleet.AnnotationAdopted] == "":
		return w.Apply(ctx, want)
	}
	return adoptNamespace(ctx, w, live, want)
}

// waitingFor returns that a namespace is being deleted, and what keeps it.
func waitingFor(ctx context.Context, w *kube.Writer, name string) error {
	kept := ""
	if obj, err := w.Get(ctx, kinds.Namespaces, "", name); err == nil {
		kept = kube.Kept(obj)
	}
	return &kube.NotReadyError{Waiting: fmt.Sprintf("namespace %s is being deleted; waiting until it is gone%s", name, kept)}
}

// adoptNamespace adds the labels that an existing namespace lacks, and writes down
// which these were.
func adoptNamespace(ctx context.Context, w *kube.Writer, live, want *corev1.Namespace) error {
	add := map[string]string{}
	for k, v := range want.Labels {
		switch have, ok := live.Labels[k]; {
		case !ok:
			add[k] = v
		case have != v:
			return &kube.DeadEndError{Reason: fmt.Sprintf("namespace %s has the label %s=%s, the fleet file wants %s; change one of them", live.Name, k, have, v)}
		}
	}
	if before := live.Annotations[fleet.AnnotationAdopted] != ""; (before || len(add) > 0) && live.Labels[fleet.LabelFleet] == "" {
		add[fleet.LabelFleet] = w.Owner.Fleet
	}
	ch := fleet.Change{Action: fleet.Keep, Kind: want.Kind, Name: live.Name, Note: noteExisting}
	if w.Owner.Made(live.Annotations) {
		ch.Action = fleet.Adopt
	}
	if len(add) > 0 {
		ch.Action = fleet.Adopt
		added := splitList(live.Annotations[fleet.AnnotationAdopted])
		for k := range add {
			added = append(added, k)
		}
		sort.Strings(added)
		annotations := map[string]string{fleet.AnnotationAdopted: strings.Join(slices.Compact(added), ",")}
		if live.Annotations[fleet.AnnotationRun] == "" {
			annotations[fleet.AnnotationRun] = w.Owner.Run
		}
		if err := patchNamespace(ctx, w, live.Name, map[string]any{"labels": add, "annotations": annotations}); err != nil {
			return err
		}
	}
	return w.NoteApplied(ch, want)
}

// removeNamespaces asks for the deletion of all before it waits for any: each
// takes Kubernetes at least 5 s. One that has to stay does not keep the others.
func removeNamespaces(ctx context.Context, w *kube.Writer, onlyRun string, names ...string) error {
	var going []*unstructured.Unstructured
	var errs []error
	if len(names) > 1 {
		w.LookTogether()
	}
	for _, name := range names {
		obj, err := removeNamespace(ctx, w, name, onlyRun)
		if obj != nil {
			going = append(going, obj)
		}
		errs = append(errs, err)
	}
	if !w.DryRun {
		errs = append(errs, w.WaitNamespacesGone(ctx, going...))
	}
	return errors.Join(errs...)
}

// removeNamespace removes our labels from an adopted namespace, or deletes one that
// Landbridge made, which it returns.
func removeNamespace(ctx context.Context, w *kube.Writer, name, onlyRun string) (*unstructured.Unstructured, error) {
	live, err := readNamespace(ctx, w.Cluster, name)
	if live == nil || err != nil {
		return nil, err
	}
	if live.Labels[fleet.LabelFleet] != w.Owner.Fleet || onlyRun != "" && live.Annotations[fleet.AnnotationRun] != onlyRun {
		return nil, nil
	}
	adopted, ok := live.Annotations[fleet.AnnotationAdopted]
	if !ok {
		return deleteNamespace(ctx, w, name)
	}
	drop := map[string]any{}
	for _, k := range splitList(adopted) {
		drop[k] = nil
	}
	if err := patchNamespace(ctx, w, name, map[string]any{"labels": drop,
		"annotations": map[string]any{fleet.AnnotationAdopted: nil, fleet.AnnotationRun: nil}}); err != nil {
		return nil, err
	}
	w.Note(fleet.Change{Action: fleet.Update, Kind: kinds.Namespaces.Kind, Name: name, Note: "existed before; loses only our labels"})
	return nil, nil
}

// deleteNamespace deletes a namespace that Landbridge made. Where somebody put
// something into it, or the worker may not look, it stays, and the error says so.
func deleteNamespace(ctx context.Context, w *kube.Writer, name string) (*unstructured.Unstructured, error) {
	obj, err := w.Get(ctx, kinds.Namespaces, "", name)
	if err != nil {
		return nil, wrap(err, "read the namespace %s", name)
	}
	// In a dry run it still holds what the steps before would have removed.
	if obj.GetDeletionTimestamp() == nil && !w.DryRun {
		unmanaged, err := w.Unmanaged(ctx, name)
		if err != nil {
			return nil, err
		}
		if why := unmanaged.Error(name); why != "" {
			return nil, &kube.DeadEndError{Reason: why}
		}
	}
	if err := w.Delete(ctx, kinds.Namespaces, obj); err != nil {
		return nil, err // it is not going, so nobody may wait for it
	}
	return obj, nil
}

// readNamespace reads a namespace, or returns nil where there is none.
func readNamespace(ctx context.Context, c *kube.Cluster, name string) (*corev1.Namespace, error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "read the namespace %s", name)
	}
	return ns, nil
}

// patchNamespace merges metadata into a namespace; what is nil in it goes.
func patchNamespace(ctx context.Context, w *kube.Writer, name string, metadata map[string]any) error {
	if w.DryRun {
		return nil
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	_, err = w.Client.CoreV1().Namespaces().Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: kube.FieldManager})
	return wrap(err, "label the namespace %s", name)
}

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
