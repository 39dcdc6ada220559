package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
)

// kind of the resource.
var kind = schema.GroupVersionKind{Group: fleet.Domain, Version: "v1alpha1", Kind: fleet.Kind}

// object holds a Fleet resource, and what becomes of its status.
type object struct {
	*unstructured.Unstructured
	// fleet has the spec with its defaults. It is nil where that cannot be used, and invalid says why.
	fleet   *fleet.Fleet
	invalid error
	status  resource.Status
}

func newResource() *unstructured.Unstructured {
	out := &unstructured.Unstructured{}
	out.SetGroupVersionKind(kind)
	return out
}

// read reads the spec as the command reads a fleet file, and the status.
func read(u *unstructured.Unstructured) (*object, error) {
	o := &object{Unstructured: u}
	if status, ok := u.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(status, &o.status); err != nil {
			return nil, fmt.Errorf("read the status: %w", err)
		}
	}
	file, err := yaml.Marshal(map[string]any{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind(),
		"metadata": map[string]any{"name": u.GetName()}, "spec": u.Object["spec"]})
	if err != nil {
		return nil, fmt.Errorf("read the spec: %w", err)
	}
	o.fleet, o.invalid = fleet.Parse(fleet.Kind, file)
	return o, nil
}

// request tells who asks for a run that the resource has begun, and why.
func (o *object) request() fleet.Request {
	return fleet.Request{RequestedBy: o.requester(), Reason: o.GetAnnotations()[resource.Reason]}
}

// requester names the resource where people are named otherwise: its API server knows who wrote it.
func (o *object) requester() string { return fmt.Sprintf("Fleet %s/%s", o.GetNamespace(), o.GetName()) }

// asked tells whether the annotation asks for a rollout that was not begun yet.
func (o *object) asked() bool {
	at := o.GetAnnotations()[resource.RequestedAt]
	return at != "" && at != o.status.LastRequestedAt
}

// prunes tells whether the deletion of the resource cleans its clusters up.
func (o *object) prunes() bool {
	on, _, _ := unstructured.NestedBool(o.Object, "spec", "reconcile", "prune")
	return on
}

// keepFinalizer gives the resource the finalizer where its deletion cleans up, and drops it
// where it does not.
func (r *Reconciler) keepFinalizer(ctx context.Context, o *object, wanted bool) error {
	if controllerutil.ContainsFinalizer(o, resource.Finalizer) == wanted {
		return nil
	}
	before := o.DeepCopy()
	if wanted {
		controllerutil.AddFinalizer(o, resource.Finalizer)
	} else {
		controllerutil.RemoveFinalizer(o, resource.Finalizer)
	}
	after := o.Unstructured.DeepCopy()
	if err := r.Kubernetes.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("set the finalizer %s: %w", resource.Finalizer, err)
	}
	o.SetResourceVersion(after.GetResourceVersion())
	return nil
}

// write writes the status, where it is another one than before.
func (r *Reconciler) write(ctx context.Context, o *object) error {
	o.status.Phase = phase(o)
	data, err := json.Marshal(o.status)
	if err != nil {
		return err
	}
	var status map[string]any
	if err := json.Unmarshal(data, &status); err != nil {
		return err
	}
	before := o.DeepCopy()
	after := o.DeepCopy()
	after.Object["status"] = status
	patch := client.MergeFrom(before)
	if change, err := patch.Data(after); err != nil || string(change) == "{}" {
		return err
	}
	return client.IgnoreNotFound(r.Kubernetes.Status().Patch(ctx, after, patch))
}
