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
	err = applyOrKeep(ctx, w, kinds.Istios, istio(in))
	return w.Changes(), err
}

// RemoveIstio undoes EnsureIstio: it removes Istio, then IstioCNI, and waits until
// Sail has uninstalled both. What istiod itself wrote goes with the last istiod.
func (a *Activities) RemoveIstio(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	removed, err := a.removeAll(ctx, in, componentIstio, "", kinds.Istios, kinds.IstioCNIs)
	if err != nil || in.DryRun || in.OnlyRun != "" && len(removed.All()) == 0 {
		return removed, err
	}
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentIstio, in.Link)
	if err != nil {
		return removed, err
	}
	err = removeIstiodConfigMaps(ctx, w, in.Namespace)
	removed.Changes = append(removed.Changes, w.Changes().Changes...)
	return removed, err
}

// applyOrKeep applies a resource. One that exists and belongs to no fleet is kept if
// its spec has all that is wanted.
func applyOrKeep(ctx context.Context, w *kube.Writer, res kinds.Resource, obj *unstructured.Unstructured) error {
	err := w.Apply(ctx, obj)
	var notOurs *kube.NotOursError
	if !errors.As(err, &notOurs) || notOurs.Owner != "" {
		return err
	}
	live, err := w.Get(ctx, res, "", obj.GetName())
	if err != nil {
		return err
	}
	if at, ok := kube.Covers(live.Object["spec"], obj.Object["spec"]); !ok {
		return &kube.DeadEndError{Reason: fmt.Sprintf("%s %s existed before and differs from the fleet file in spec.%s; make it fit, or give the fleet's another name (spec.istio.name)", res.Kind, obj.GetName(), at)}
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
	return sailResource(kinds.IstioCNIs, in.Istio.Name, spec)
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
	values := map[string]any{
		"meshConfig": map[string]any{
			"accessLogFile": "/dev/stdout",
			"trustDomain":   in.Istio.TrustDomain,
			"defaultConfig": map[string]any{"proxyMetadata": map[string]any{
				"ISTIO_META_DNS_CAPTURE":       "true",
				"ISTIO_META_DNS_AUTO_ALLOCATE": "true",
			}},
		},
		"global": global,
	}
	return sailResource(kinds.Istios, in.Istio.Name, map[string]any{
		"version": in.Istio.Version, "namespace": in.Namespace, "values": overlay(values, in.Istio.Values)})
}

func sailResource(r kinds.Resource, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": r.GroupVersion().String(), "kind": r.Kind,
		"metadata": map[string]any{"name": name}, "spec": spec}}
}
