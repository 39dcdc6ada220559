package lab

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// sailFinalizer keeps an IstioRevision and an IstioCNI until Sail has uninstalled it.
// Istio has none: the garbage collector of Kubernetes removes its IstioRevision.
const sailFinalizer = "sailoperator.io/sail-operator"

var (
	istiosResource    = schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istios"}
	revisionsResource = schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istiorevisions"}
	cnisResource      = schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istiocnis"}
)

// sail stands in for the Sail operator on one cluster. Like Sail it has three
// controllers: that of Istio only makes an IstioRevision and copies what that one says,
// that of IstioRevision installs the charts of istiod and base, and that of IstioCNI
// the chart of the CNI plugin. With KWOK nodes no istiod answers, so it leaves the
// webhooks out.
type sail struct {
	cluster Cluster
	// platform has the values that fit Istio to the lab's nodes, as Sail's profiles
	// fit it to a platform.
	platform map[string]any
	cfg      *rest.Config
	dyn      dynamic.Interface
	client   kubernetes.Interface
	objects  map[schema.GroupVersionResource]cache.Store
	known    sailCache
	// seen tells when the operator first saw a generation of an object, or its deletion.
	seen map[string]time.Time
	// older says that the operator is of the release before, and listed whether its kinds
	// say so.
	older, listed bool
	// last holds how the last installation of a generation went.
	last map[string]installation
}

// installation tells with which state of the pods something was installed, what that
// failed with, and until when it rests.
type installation struct {
	state string
	err   error
	rests time.Time
}

// newSail watches a cluster's objects of Sail's kinds until the context ends.
func newSail(ctx context.Context, c Cluster, cfg *rest.Config, nodeDir string) (*sail, error) {
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	known, err := newSailCache(ctx, client)
	if err != nil {
		return nil, err
	}
	objects := map[schema.GroupVersionResource]cache.Store{}
	for _, r := range []schema.GroupVersionResource{istiosResource, revisionsResource, cnisResource} {
		objects[r] = watch(ctx, listWatch(dyn.Resource(r)), &unstructured.Unstructured{})
	}
	return &sail{c, platformValues(c, nodeDir), cfg, dyn, client, objects, known, map[string]time.Time{}, false, false, map[string]installation{}}, nil
}

// look lets each controller reconcile what it is responsible for.
func (s *sail) look(ctx context.Context, b Behaviour) error {
	if err := s.runOperator(ctx, b.Sail); err != nil {
		return err
	}
	s.older = b.Sail.Older && (b.Sail.Only == "" || b.Sail.Only == s.cluster.Name)
	if err := s.listVersions(ctx); err != nil {
		return err
	}
	if b.Sail.Away == AwayAll {
		return nil
	}
	errs := []error{s.each(ctx, istiosResource, b.Sail, s.reconcileIstio)}
	if b.Sail.Away != AwayAfterSeeing {
		errs = append(errs, s.each(ctx, cnisResource, b.Sail, s.reconcileCNI), s.each(ctx, revisionsResource, b.Sail, s.reconcileRevision))
	}
	return errors.Join(errs...)
}

type reconcile func(context.Context, *unstructured.Unstructured, SailBehaviour) error

func (s *sail) each(ctx context.Context, res schema.GroupVersionResource, b SailBehaviour, do reconcile) error {
	var errs []error
	for _, o := range s.objects[res].List() {
		obj := o.(*unstructured.Unstructured).DeepCopy()
		if err := do(ctx, obj, b); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// late says whether the operator has got round to a generation of an object, or to its
// deletion: after the lag, up to four times of it, which each gets its own share of.
func (s *sail) late(obj *unstructured.Unstructured, b SailBehaviour) (since time.Duration, late bool) {
	key := keyOf(obj)
	if _, ok := s.seen[key]; !ok {
		s.seen[key] = time.Now()
	}
	since = time.Since(s.seen[key])
	share := fnv.New32a()
	fmt.Fprint(share, key)
	lag := b.Lag + 3*b.Lag*time.Duration(share.Sum32()%100)/100
	return since, since < lag
}

func keyOf(obj *unstructured.Unstructured) string {
	return fmt.Sprintf("%s/%d/%t", obj.GetUID(), obj.GetGeneration(), obj.GetDeletionTimestamp() != nil)
}

// withFinalizer adds or removes Sail's finalizer, where it is not so already.
func (s *sail) withFinalizer(ctx context.Context, res schema.GroupVersionResource, obj *unstructured.Unstructured, want bool) (changed bool, err error) {
	have := slices.Contains(obj.GetFinalizers(), sailFinalizer)
	if have == want {
		return false, nil
	}
	left := slices.DeleteFunc(obj.GetFinalizers(), func(f string) bool { return f == sailFinalizer })
	if want {
		left = append(left, sailFinalizer)
	}
	obj.SetFinalizers(left)
	_, err = s.dyn.Resource(res).Update(ctx, obj, metav1.UpdateOptions{})
	return true, err
}

// condition describes one of a status. A good one of Sail's has no reason.
type condition struct{ typ, status, reason, message string }

func (c condition) fields() map[string]any {
	out := map[string]any{"type": c.typ, "status": c.status}
	if c.reason != "" {
		out["reason"] = c.reason
	}
	if c.message != "" {
		out["message"] = c.message
	}
	return out
}

// told holds what a status says beside the generation.
type told struct {
	state      string
	conditions []any
	more       map[string]any
}

// report writes a status; an unchanged one is not written again.
func (s *sail) report(ctx context.Context, res schema.GroupVersionResource, obj *unstructured.Unstructured, t told) error {
	status := map[string]any{"observedGeneration": obj.GetGeneration(), "conditions": t.conditions}
	if t.state != "" {
		status["state"] = t.state
	}
	maps.Copy(status, t.more)
	if fmt.Sprint(obj.Object["status"]) == fmt.Sprint(status) {
		return nil
	}
	obj.Object["status"] = status
	_, err := s.dyn.Resource(res).UpdateStatus(ctx, obj, metav1.UpdateOptions{})
	return err
}

// stateOf returns the reason of the first condition that is not good, as Sail makes a
// state of its conditions.
func stateOf(conditions ...condition) string {
	for _, c := range conditions {
		if c.status != "True" {
			return c.reason
		}
	}
	return sailHealthy
}

// sailHealthy is Sail's word for a resource that runs.
const sailHealthy = "Healthy"

const reconcileError = "ReconcileError"
