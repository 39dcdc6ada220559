package lab

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// reconcileRevision installs what an IstioRevision asks for, or uninstalls it. It gets
// round to a change late, and to a deletion, too.
func (s *sail) reconcileRevision(ctx context.Context, obj *unstructured.Unstructured, b SailBehaviour) error {
	releases := releasesOf(obj)
	since, late := s.late(obj, b)
	if done, err := s.finalize(ctx, revisionsResource, obj, late, releases); done || late || err != nil {
		return err
	}
	reconciled := s.reconciled(ctx, obj, b, releases)
	ready := condition{"Ready", "False", "IstiodNotReady", "istiod Deployment not found"}
	name := "istiod"
	if obj.GetName() != defaultRevision {
		name += "-" + obj.GetName()
	}
	d, err := s.known.deployments.Deployments(specString(obj, "namespace")).Get(name)
	switch {
	case err == nil:
		ready = istiodReady(d, since < b.Delay)
	case !apierrors.IsNotFound(err):
		ready = condition{"Ready", "Unknown", "ReadinessCheckFailed", fmt.Sprintf("failed to get readiness: %v", err)}
	}
	inUse, err := s.inUse(obj.GetName())
	if err != nil {
		return err
	}
	dependencies := condition{"DependenciesHealthy", "True", "", ""}
	return s.report(ctx, revisionsResource, obj, told{state: stateOf(reconciled, ready, dependencies),
		conditions: []any{reconciled.fields(), ready.fields(), dependencies.fields(), inUse.fields()}})
}

// finalize adds the finalizer to an object, or uninstalls one that is being deleted. It
// says whether there is nothing more to do in this look.
func (s *sail) finalize(ctx context.Context, res schema.GroupVersionResource, obj *unstructured.Unstructured, late bool, releases []sailRelease) (bool, error) {
	if obj.GetDeletionTimestamp() == nil {
		return s.withFinalizer(ctx, res, obj, true)
	}
	if late {
		return true, nil
	}
	for _, r := range releases {
		if err := s.uninstall(r); err != nil {
			return true, err
		}
	}
	_, err := s.withFinalizer(ctx, res, obj, false)
	return true, err
}

// reconciled installs the releases of an object, each time that the object or the state
// of its pods has changed: a release gets a new revision then. An installation that
// failed is tried again after a while.
func (s *sail) reconciled(ctx context.Context, obj *unstructured.Unstructured, b SailBehaviour, releases []sailRelease) condition {
	err := s.refusal(obj, b)
	if err == nil {
		err = s.installed(ctx, obj, releases)
	}
	if err != nil {
		return condition{"Reconciled", "False", reconcileError, fmt.Sprintf("error reconciling resource: %v", err)}
	}
	return condition{"Reconciled", "True", "", ""}
}

// installed installs the releases where the state is another one than they were installed
// in, and no failure rests.
func (s *sail) installed(ctx context.Context, obj *unstructured.Unstructured, releases []sailRelease) error {
	version, _ := s.resolve(specString(obj, "version")) // an alias may stand for another one by now
	key, state := keyOf(obj), version+" "+s.podsOf(obj)
	last := s.last[key]
	if last.state == state && last.err == nil || time.Now().Before(last.rests) {
		return last.err
	}
	var err error
	for _, r := range releases {
		if err = s.install(ctx, r, obj); err != nil {
			break
		}
	}
	s.last[key] = installation{state, err, time.Now()}
	if err != nil {
		s.last[key] = installation{state, err, time.Now().Add(2 * time.Second)}
	}
	return err
}

// refusal returns why Sail would not install an object, in its words.
func (s *sail) refusal(obj *unstructured.Unstructured, b SailBehaviour) error {
	if b.Error != "" && (b.Only == "" || b.Only == s.cluster.Name) {
		return fmt.Errorf("%s", b.Error)
	}
	if _, err := s.resolve(specString(obj, "version")); err != nil {
		return err
	}
	ns := specString(obj, "namespace")
	live, err := s.known.namespaces.Get(ns)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("validation error: namespace %q doesn't exist", ns)
	case err != nil:
		return fmt.Errorf("get failed: %w", err)
	case live.DeletionTimestamp != nil:
		return fmt.Errorf("validation error: namespace %q is being deleted", ns)
	}
	return nil
}

// podsOf describes the pods of an object, as far as a change of it makes Sail reconcile.
func (s *sail) podsOf(obj *unstructured.Unstructured) string {
	out := "installed"
	istiods := labels.SelectorFromSet(labels.Set{"app": "istiod", "istio.io/rev": obj.GetName()})
	if list, err := s.known.deployments.Deployments(specString(obj, "namespace")).List(istiods); err == nil && obj.GetKind() == "IstioRevision" {
		for _, d := range list {
			if d.Status.ReadyReplicas > 0 && d.Status.ReadyReplicas == d.Status.Replicas {
				out = "ready"
			}
		}
	}
	return out
}

// istiodReady judges istiod's Deployment as Sail does, which looks at its replicas only.
func istiodReady(d *appsv1.Deployment, wait bool) condition {
	not := func(message string) condition { return condition{"Ready", "False", "IstiodNotReady", message} }
	switch {
	case d.Status.Replicas == 0:
		return not("istiod Deployment is scaled to zero replicas")
	case d.Status.ReadyReplicas < d.Status.Replicas || wait:
		return not("not all istiod pods are ready")
	}
	return condition{"Ready", "True", "", ""}
}

// inUse says whether a namespace or a pod refers to a revision.
func (s *sail) inUse(revision string) (condition, error) {
	namespaces, err := s.known.namespaces.List(labels.Everything())
	if err != nil {
		return condition{}, err
	}
	referredBy := condition{"InUse", "True", "ReferencedByWorkloads", "Referenced by at least one pod or namespace"}
	byNamespace := map[string]string{}
	for _, n := range namespaces {
		byNamespace[n.Name] = revisionOfNamespace(n.Labels)
		if byNamespace[n.Name] == revision {
			return referredBy, nil
		}
	}
	pods, err := s.known.pods.List(labels.Everything())
	if err != nil {
		return condition{}, err
	}
	for _, p := range pods {
		if p.Annotations[revisionLabel] == revision || byNamespace[p.Namespace] == "" && revisionOfPod(p.Labels) == revision {
			return referredBy, nil
		}
	}
	return condition{"InUse", "False", "NotReferenced", "Not referenced by any pod or namespace"}, nil
}

// revisionLabel names the revision that injects a pod. As an annotation of a pod it names the
// one that did.
const revisionLabel = "istio.io/rev"

// revisionOfNamespace returns what Sail takes a namespace's pods to be injected by, or "".
func revisionOfNamespace(has map[string]string) string {
	if has["istio-injection"] == "enabled" {
		return defaultRevision
	}
	return has[revisionLabel]
}

// revisionOfPod returns what Sail takes a pod's own labels to ask for, or "".
func revisionOfPod(has map[string]string) string {
	switch inject := has["sidecar.istio.io/inject"]; {
	case inject == "false":
		return ""
	case has[revisionLabel] == "" && inject == "true":
		return defaultRevision
	}
	return has[revisionLabel]
}
