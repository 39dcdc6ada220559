package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentIstio = "istio"

// EnsureIstio is step 6: the IstioCNI and Istio resources for the Sail operator.
// One that somebody else made stays as it is when it says all that the fleet
// wants, and is refused otherwise.
func (a *Activities) EnsureIstio(ctx context.Context, in api.EnsureIstioInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentIstio, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, obj := range []*unstructured.Unstructured{istioCNI(in), istio(in)} {
		if err := applyOrAdopt(ctx, w, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveIstio undoes step 6: Istio, then IstioCNI, and waits until Sail has
// taken what it installed. What istiod itself wrote goes with the last istiod.
func (a *Activities) RemoveIstio(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	removed, err := a.removeAll(ctx, in, componentIstio, "", kinds.Istios, kinds.IstioCNIs)
	if err != nil || in.DryRun || in.OnlyRun != "" && len(removed.All()) == 0 {
		return removed, err
	}
	w, err := a.remover(ctx, in, componentIstio)
	if err != nil {
		return removed, err
	}
	err = removeDistributed(ctx, w, in.Namespace)
	removed.Changes = append(removed.Changes, w.Changes().Changes...)
	return removed, err
}

// distributed is istiod's label on the ConfigMaps with the mesh's root and its
// revocations that it writes into every namespace, and leaves there.
const distributed = "istio.io/config=true"

// removeDistributed takes them away where no istiod is left to want them. A
// worker that may not look into every namespace leaves them: they are public.
func removeDistributed(ctx context.Context, w *kube.Writer, namespace string) error {
	left, err := w.In(kinds.Istios, "").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil || len(left.Items) > 0 {
		return wrap(err, "list the Istio resources")
	}
	others, err := w.Client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods, Limit: 1})
	if apierrors.IsForbidden(err) || err == nil && len(others.Items) > 0 {
		return nil
	}
	if err != nil {
		return wrap(err, "look for another istiod")
	}
	// An istiod that is on its way out would write them again.
	if err := kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		pods, err := w.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
		if err != nil {
			return "", apierrors.IsForbidden(err), err
		}
		return "istiod is stopping", len(pods.Items) == 0, nil
	}); err != nil {
		return err
	}
	list, err := w.In(kinds.ConfigMaps, "").List(ctx, metav1.ListOptions{LabelSelector: distributed})
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return wrap(err, "list istiod's ConfigMaps")
	}
	for i := range list.Items {
		if err := w.Delete(ctx, kinds.ConfigMaps, &list.Items[i]); err != nil && !apierrors.IsForbidden(err) {
			return err
		}
	}
	return nil
}

func applyOrAdopt(ctx context.Context, w *kube.Writer, obj *unstructured.Unstructured) error {
	err := w.Apply(ctx, obj)
	var notOurs *kube.NotOursError
	if !errors.As(err, &notOurs) || notOurs.Owner != "" {
		return err
	}
	res := kinds.Istios
	if obj.GetKind() == kinds.IstioCNIs.Kind {
		res = kinds.IstioCNIs
	}
	live, err := w.Get(ctx, res, "", obj.GetName())
	if err != nil {
		return err
	}
	if at, ok := kube.Covers(live.Object["spec"], obj.Object["spec"]); !ok {
		return &kube.DeadEndError{Reason: fmt.Sprintf("%s %s was there before and differs from the fleet file in spec.%s; make it fit, or give the fleet's another name (spec.istio.name)", obj.GetKind(), obj.GetName(), at)}
	}
	w.Note(fleet.Change{Action: fleet.Keep, Kind: obj.GetKind(), Name: obj.GetName(), Note: "was there before; stays at cleanup"})
	return nil
}

func istioCNI(in api.EnsureIstioInput) *unstructured.Unstructured {
	spec := map[string]any{"version": in.Istio.Version, "namespace": in.CNINamespace}
	if p := in.Istio.Platform; p != "" {
		spec["values"] = map[string]any{"global": map[string]any{"platform": p}}
	}
	return sail(kinds.IstioCNIs, in.Istio.Name, spec)
}

func istio(in api.EnsureIstioInput) *unstructured.Unstructured {
	global := map[string]any{
		"meshID":       in.Istio.MeshID,
		"multiCluster": map[string]any{"clusterName": in.Cluster},
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
	return sail(kinds.Istios, in.Istio.Name, map[string]any{
		"version": in.Istio.Version, "namespace": in.Namespace, "values": overlay(values, in.Istio.Values)})
}

func sail(r kinds.Resource, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": r.GroupVersion().String(), "kind": r.Kind,
		"metadata": map[string]any{"name": name}, "spec": spec}}
}

// overlay lays what the fleet file says over what Landbridge says, key by key.
func overlay(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range over {
		below, isMap := out[k].(map[string]any)
		above, both := v.(map[string]any)
		if isMap && both {
			v = overlay(below, above)
		}
		out[k] = v
	}
	return out
}

// WaitIstio waits until Sail says of IstioCNI and Istio that the generation at
// hand is ready and healthy. It ends early, with Sail's own message, where
// nothing can change any more.
func (a *Activities) WaitIstio(ctx context.Context, in api.WaitIstioInput) (api.WaitIstioResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.WaitIstioResult{}, err
	}
	state := ""
	err = kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		for _, r := range []kinds.Resource{kinds.IstioCNIs, kinds.Istios} {
			obj, err := c.Get(ctx, r, "", in.Name)
			if err != nil {
				return "", false, err
			}
			waiting, err := sailReady(obj)
			if waiting != "" || err != nil {
				return waiting, false, err
			}
			state, _, _ = unstructured.NestedString(obj.Object, "status", "state")
		}
		return "", true, nil
	})
	return api.WaitIstioResult{State: state}, err
}

// sailReady says what a Sail resource still waits for, or nothing. A resource
// without conditions is not ready: Sail has not looked at it yet.
func sailReady(obj *unstructured.Unstructured) (waiting string, err error) {
	what := obj.GetKind() + " " + obj.GetName()
	observed, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if observed != obj.GetGeneration() {
		return what + " has not been looked at by Sail yet", nil
	}
	state, _, _ := unstructured.NestedString(obj.Object, "status", "state")
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	ready, why := false, ""
	for _, c := range conditions {
		cond, _ := c.(map[string]any)
		typ, _ := cond["type"].(string)
		status, _ := cond["status"].(string)
		reason, _ := cond["reason"].(string)
		message, _ := cond["message"].(string)
		if typ == "Reconciled" && status == "False" && isDeadEnd(reason, message) {
			return "", &kube.DeadEndError{Reason: fmt.Sprintf("Sail cannot install %s: %s: %s", what, reason, message)}
		}
		if typ == "Ready" {
			ready = status == "True"
		}
		if status == "False" && message != "" {
			why = ": " + reason + ": " + message
		}
	}
	if ready && state == "Healthy" {
		return "", nil
	}
	return fmt.Sprintf("%s is %s%s", what, orUnknown(state), why), nil
}

// isDeadEnd knows the reconcile errors that waiting does not mend: a version
// that Sail has dropped, and a namespace that is not there.
func isDeadEnd(reason, message string) bool {
	return reason == "ReconcileError" && (strings.Contains(message, "end-of-life") || strings.Contains(message, "namespace"))
}

func orUnknown(s string) string {
	if s == "" {
		return "in no known state"
	}
	return s
}
