package lab

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const cniDaemonSet = "istio-cni-node"

// reconcileCNI installs the CNI plugin, or uninstalls it.
func (s *sail) reconcileCNI(ctx context.Context, obj *unstructured.Unstructured, b SailBehaviour) error {
	releases := releasesOf(obj)
	since, late := s.late(obj, b)
	if done, err := s.finalize(ctx, cnisResource, obj, late, releases); done || late || err != nil {
		return err
	}
	reconciled := s.reconciled(ctx, obj, b, releases)
	ready := s.cniReady(obj)
	if since < b.Delay {
		ready = condition{"Ready", "False", "DaemonSetNotReady", "not all istio-cni-node pods are ready"}
	}
	return s.report(ctx, cnisResource, obj, told{state: stateOf(reconciled, ready), conditions: []any{reconciled.fields(), ready.fields()}})
}

// cniReady judges the DaemonSet as Sail does.
func (s *sail) cniReady(obj *unstructured.Unstructured) condition {
	not := func(message string) condition { return condition{"Ready", "False", "DaemonSetNotReady", message} }
	ds, err := s.known.daemonSets.DaemonSets(specString(obj, "namespace")).Get(cniDaemonSet)
	switch {
	case apierrors.IsNotFound(err):
		return not("istio-cni-node DaemonSet not found")
	case err != nil:
		return condition{"Ready", "Unknown", "ReadinessCheckFailed", fmt.Sprintf("failed to get readiness: %v", err)}
	case ds.Status.CurrentNumberScheduled == 0:
		return not("no istio-cni-node pods are currently scheduled")
	case ds.Status.NumberReady < ds.Status.CurrentNumberScheduled:
		return not("not all istio-cni-node pods are ready")
	}
	return condition{"Ready", "True", "", ""}
}
