package lab

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// defaultRevision names the one revision for which Sail installs Istio's base chart.
const defaultRevision = "default"

// reconcileIstio makes an Istio's active revision what it should be, and copies what
// that one says. The copy is made in the pass that changes the revision: after an update
// it says what was true before.
func (s *sail) reconcileIstio(ctx context.Context, obj *unstructured.Unstructured, b SailBehaviour) error {
	if obj.GetDeletionTimestamp() != nil {
		return nil
	}
	version, err := s.resolve(specString(obj, "version"))
	if err != nil {
		return s.report(ctx, istiosResource, obj, told{state: reconcileError, conditions: []any{
			condition{"Reconciled", "False", reconcileError, err.Error()}.fields(),
			condition{"Ready", "Unknown", reconcileError, "cannot determine readiness due to reconciliation error"}.fields(),
		}})
	}
	active := activeRevision(obj, version)
	if err := s.ensureRevision(ctx, obj, active, version); err != nil {
		return err
	}
	owned := s.ownedRevisions(obj)
	state, conditions := "", []any{condition{"Reconciled", "Unknown", "", ""}.fields(), condition{"Ready", "Unknown", "", ""}.fields()}
	ready, used := int64(0), int64(0)
	for _, rev := range owned {
		said, _, _ := unstructured.NestedSlice(rev.Object, "status", "conditions")
		ready += count(said, "Ready")
		used += count(said, "InUse")
		if rev.GetName() == active && len(said) > 0 {
			state, _, _ = unstructured.NestedString(rev.Object, "status", "state")
			conditions = withoutType(said, "InUse")
		}
	}
	if err := s.prune(ctx, obj, owned, active); err != nil {
		return err
	}
	return s.report(ctx, istiosResource, obj, told{state, conditions, map[string]any{"activeRevisionName": active,
		"revisions": map[string]any{"total": int64(len(owned)), "ready": ready, "inUse": used}}})
}

func specString(obj *unstructured.Unstructured, field string) string {
	v, _, _ := unstructured.NestedString(obj.Object, "spec", field)
	return v
}

// activeRevision names the revision that an Istio asks for.
func activeRevision(obj *unstructured.Unstructured, version string) string {
	strategy, _, _ := unstructured.NestedString(obj.Object, "spec", "updateStrategy", "type")
	if strategy == "RevisionBased" {
		return obj.GetName() + "-" + strings.ReplaceAll(version, ".", "-")
	}
	return obj.GetName()
}

// ensureRevision creates or updates an IstioRevision that the Istio owns.
func (s *sail) ensureRevision(ctx context.Context, istio *unstructured.Unstructured, name, version string) error {
	values, _, _ := unstructured.NestedMap(istio.Object, "spec", "values")
	if values == nil {
		values = map[string]any{}
	}
	values["revision"] = name
	if name == defaultRevision {
		values["revision"] = ""
	}
	if err := unstructured.SetNestedField(values, specString(istio, "namespace"), "global", "istioNamespace"); err != nil {
		return err
	}
	spec := map[string]any{"version": version, "namespace": specString(istio, "namespace"), "values": values}
	known, there, err := s.objects[revisionsResource].GetByKey(name)
	if err != nil {
		return err
	}
	if !there {
		_, err = s.dyn.Resource(revisionsResource).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "sailoperator.io/v1", "kind": "IstioRevision", "spec": spec,
			"metadata": map[string]any{"name": name, "ownerReferences": []any{ownerReference(istio)}}}}, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil // the cache will know
		}
		return err
	}
	live := known.(*unstructured.Unstructured).DeepCopy()
	if reflect.DeepEqual(live.Object["spec"], spec) {
		return nil
	}
	live.Object["spec"] = spec
	_, err = s.dyn.Resource(revisionsResource).Update(ctx, live, metav1.UpdateOptions{})
	return err
}

// ownerReference makes an object go with its owner, and a deletion in the foreground
// wait for it.
func ownerReference(of *unstructured.Unstructured) map[string]any {
	return map[string]any{"apiVersion": of.GetAPIVersion(), "kind": of.GetKind(), "name": of.GetName(), "uid": string(of.GetUID()),
		"controller": true, "blockOwnerDeletion": true}
}

// ownedRevisions lists an Istio's revisions as the operator's cache has them.
func (s *sail) ownedRevisions(istio *unstructured.Unstructured) (out []*unstructured.Unstructured) {
	for _, o := range s.objects[revisionsResource].List() {
		rev := o.(*unstructured.Unstructured)
		for _, owner := range rev.GetOwnerReferences() {
			if owner.UID == istio.GetUID() {
				out = append(out, rev)
			}
		}
	}
	return out
}

// prune removes the revisions that nothing has used for as long as the Istio says.
func (s *sail) prune(ctx context.Context, istio *unstructured.Unstructured, owned []*unstructured.Unstructured, active string) error {
	grace, found, _ := unstructured.NestedInt64(istio.Object, "spec", "updateStrategy", "inactiveRevisionDeletionGracePeriodSeconds")
	if !found {
		grace = 30
	}
	for _, rev := range owned {
		said, _, _ := unstructured.NestedSlice(rev.Object, "status", "conditions")
		if rev.GetName() == active || rev.GetDeletionTimestamp() != nil || count(said, "InUse") > 0 {
			continue
		}
		key := fmt.Sprintf("%s/unused", rev.GetUID())
		if _, ok := s.seen[key]; !ok {
			s.seen[key] = time.Now()
		}
		if time.Since(s.seen[key]) < time.Duration(grace)*time.Second {
			continue
		}
		if err := s.dyn.Resource(revisionsResource).Delete(ctx, rev.GetName(), metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// count returns 1 where a condition of that type is true.
func count(conditions []any, typ string) int64 {
	for _, c := range conditions {
		if m, _ := c.(map[string]any); m["type"] == typ && m["status"] == "True" {
			return 1
		}
	}
	return 0
}

func withoutType(conditions []any, typ string) (out []any) {
	for _, c := range conditions {
		if m, _ := c.(map[string]any); m["type"] != typ {
			out = append(out, c)
		}
	}
	return out
}
