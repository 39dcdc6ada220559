package activities

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// CheckEgress looks which of a source's links have what belongs to the other mode of egress
// gateways, and which port a shared gateway has for each target. It changes nothing: a port
// that is free is the target's once its Service exists, and only one workflow at a time makes
// those of a source.
func (a *Activities) CheckEgress(ctx context.Context, in api.CheckEgressInput) (out api.CheckEgressResult, err error) {
	w, err := a.writer(ctx, in.ClusterRef, componentEgress, "")
	if err != nil {
		return out, err
	}
	services, err := w.Owned(ctx, kinds.Services, in.Namespace, "")
	if err != nil {
		return out, err
	}
	for _, to := range in.Targets {
		out.Leaves = append(out.Leaves, slices.ContainsFunc(services, named(in.Mode.Other().Service(to))))
	}
	if in.Mode.Shared() {
		out.Ports, err = sharedPorts(services, in.Targets)
	}
	return out, err
}

func named(name string) func(unstructured.Unstructured) bool {
	return func(o unstructured.Unstructured) bool { return o.GetName() == name }
}

// sharedPorts returns for each target the port that its Service has, or else the lowest one that
// no Service has.
func sharedPorts(services []unstructured.Unstructured, targets []string) ([]int, error) {
	of, taken := map[string]int{}, map[int]bool{}
	for i := range services {
		port := portOf(&services[i])
		of[services[i].GetName()], taken[port] = port, true
	}
	out, free := make([]int, len(targets)), fleet.FirstSharedPort
	for i, to := range targets {
		if out[i] = of[fleet.EgressShared.Service(to)]; shared(out[i]) {
			continue
		}
		for taken[free] {
			free++
		}
		if !shared(free) {
			return nil, &kube.DeadEndError{Reason: fmt.Sprintf("a shared egress gateway serves at most %d targets; link fewer clusters, or set gateways.egress.mode: perLink", fleet.MaxMembers)}
		}
		out[i], taken[free] = free, true
	}
	return out, nil
}

func shared(port int) bool { return port >= fleet.FirstSharedPort && port <= fleet.LastSharedPort }

// portOf returns the port of the gateway to which a Service leads, or 0.
func portOf(obj *unstructured.Unstructured) int {
	var s corev1.Service
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &s) != nil || len(s.Spec.Ports) == 0 {
		return 0
	}
	return s.Spec.Ports[0].TargetPort.IntValue()
}
