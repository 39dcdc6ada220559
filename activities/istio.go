package activities

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/sail"
)

const componentIstio = "istio"

// EnsureIstio does step 6: it writes the IstioCNI and Istio resources for the Sail
// operator. One that somebody else made stays as it is when it has all that the
// fleet file asks for, and is refused otherwise.
func (a *Activities) EnsureIstio(ctx context.Context, in api.EnsureIstioInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentIstio, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := applyOrKeep(ctx, w, kinds.IstioCNIs, istioCNI(in)); err != nil {
		return w.Changes(), err
	}
	if err := applyOrKeep(ctx, w, kinds.Istios, istio(in)); err != nil || !w.DryRun {
		return w.Changes(), err
	}
	err = noteWhatSailSays(ctx, w, in)
	return w.Changes(), err
}

// noteWhatSailSays notes, where nothing is to be changed, that Sail has not installed it
// or that it does not run.
func noteWhatSailSays(ctx context.Context, w *kube.Writer, in api.EnsureIstioInput) error {
	for _, c := range w.Changes().All() {
		if c.Action != fleet.Keep {
			return nil
		}
	}
	r, err := sail.Look(ctx, w.Cluster, sail.Installation{Name: in.Istio.Name, Namespace: in.Namespace, CNINamespace: in.CNINamespace})
	var dead *kube.DeadEndError
	switch {
	case errors.As(err, &dead):
		r.Waiting = dead.Reason
	case err != nil:
		return err
	case r.Unseen:
		r.Waiting += "; " + sail.Operator(ctx, w.Cluster)
	}
	if r.Waiting != "" {
		w.Note(fleet.Change{Action: fleet.Wait, Kind: kinds.Istios.Kind, Name: in.Istio.Name, Note: r.Waiting})
	}
	return nil
}

// RemoveIstio undoes EnsureIstio: it removes Istio, then IstioCNI, and waits until
// Sail has uninstalled both. What istiod itself wrote goes with the last istiod.
func (a *Activities) RemoveIstio(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentIstio, in.Link)
	if err != nil {
		return fleet.Changes{}, err
	}
	// Istio has no finalizer, and in the background it would go at once.
	w.Foreground = true
	if err := removeSails(ctx, w, kinds.Istios, in); err != nil {
		return w.Changes(), err
	}
	if err := removeSails(ctx, w, kinds.IstioCNIs, in); err != nil {
		return w.Changes(), err
	}
	if in.DryRun || in.OnlyRun != "" && len(w.Changes().All()) == 0 {
		return w.Changes(), nil
	}
	err = removeIstiodConfigMaps(ctx, w, in.Namespace)
	return w.Changes(), err
}

// removeSails removes the fleet's resources of one of Sail's kinds, and waits until Sail
// has uninstalled what they stand for.
func removeSails(ctx context.Context, w *kube.Writer, res kinds.Resource, in api.RemoveInput) error {
	objs, err := w.Owned(ctx, res, "", in.OnlyRun)
	if err != nil {
		return err
	}
	for i := range objs {
		if err := w.Delete(ctx, res, &objs[i]); err != nil {
			return err
		}
	}
	if in.DryRun {
		return nil
	}
	// A cleanup also waits for what somebody else deleted a moment ago.
	if res == kinds.Istios && (len(objs) > 0 || in.OnlyRun == "") {
		if err := sail.WaitUninstalled(ctx, w.Cluster, in.Namespace); err != nil {
			return err
		}
	}
	for i := range objs {
		if err := sail.WaitGone(ctx, w, res, &objs[i]); err != nil {
			return err
		}
	}
	return nil
}

// applyOrKeep applies a resource. One that exists and belongs to no fleet is kept if
// its spec has all that is wanted.
func applyOrKeep(ctx context.Context, w *kube.Writer, res kinds.Resource, obj *unstructured.Unstructured) error {
	err := w.Apply(ctx, obj)
	if kube.UnknownField(err) {
		return fmt.Errorf("%w; correct spec.istio.values", err)
	}
	var notOurs *kube.NotOursError
	if !errors.As(err, &notOurs) || notOurs.Owner != "" {
		return err
	}
	live, err := w.Get(ctx, res, "", obj.GetName())
	if err != nil {
		return err
	}
	if at, ok := kube.Covers(live.Object["spec"], obj.Object["spec"]); !ok {
		way := "make it fit, or give the fleet's another name (spec.istio.name)"
		if res == kinds.IstioCNIs {
			way = "a cluster has one only: make it fit, or change the fleet file"
		}
		return &kube.DeadEndError{Reason: fmt.Sprintf("%s %s existed before and differs from the fleet file in spec.%s; %s", res.Kind, obj.GetName(), at, way)}
	}
	w.Note(fleet.Change{Action: fleet.Keep, Kind: res.Kind, Name: obj.GetName(), Note: noteExisting})
	return nil
}

func istioCNI(in api.EnsureIstioInput) *unstructured.Unstructured {
	spec := map[string]any{"version": in.Istio.Version, "namespace": in.CNINamespace}
	values := map[string]any{}
	if p := in.Istio.Platform; p != "" {
		values["global"] = map[string]any{"platform": p}
	}
	if values = overlay(values, in.Istio.CNIValues); len(values) > 0 {
		spec["values"] = values
	}
	return sailResource(kinds.IstioCNIs, fleet.IstioCNIName, spec)
}

func istio(in api.EnsureIstioInput) *unstructured.Unstructured {
	global := map[string]any{
		"meshID":       in.Istio.MeshID,
		"multiCluster": map[string]any{"clusterName": in.IstioID()},
		"network":      in.Network,
	}
	if p := in.Istio.Platform; p != "" {
		global["platform"] = p
	}
	metadata := map[string]any{
		"ISTIO_META_DNS_CAPTURE":       "true",
		"ISTIO_META_DNS_AUTO_ALLOCATE": "true",
	}
	values := map[string]any{
		"meshConfig": map[string]any{
			"accessLogFile": "/dev/stdout",
			"trustDomain":   in.Istio.TrustDomain,
			"defaultConfig": map[string]any{"proxyMetadata": metadata},
		},
		"global": global,
	}
	if in.DualStack {
		metadata[dualStack] = "true"
		values["pilot"] = map[string]any{"env": map[string]any{dualStack: "true"}}
	}
	return sailResource(kinds.Istios, in.Istio.Name, map[string]any{
		"version": in.Istio.Version, "namespace": in.Namespace, "updateStrategy": map[string]any{"type": in.Istio.Strategy()},
		"values": overlay(values, in.Istio.Values)})
}

func sailResource(r kinds.Resource, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": r.GroupVersion().String(), "kind": r.Kind,
		"metadata": map[string]any{"name": name}, "spec": spec}}
}
