package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/landbridge/landbridge/internal/fleet"
)

// passingKinds lists kinds of objects that come and go with others, or that report.
var passingKinds = map[string]bool{"Event": true, "Lease": true, "Endpoints": true, "EndpointSlice": true,
	"Pod": true, "ReplicaSet": true, "ControllerRevision": true, "PodMetrics": true}

// platformObjects lists what Kubernetes, OpenShift and Istio put into every namespace,
// by name; one that ends in a dash begins names.
var platformObjects = []string{
	"kube-root-ca.crt", "default", "default-token-",
	"openshift-service-ca.crt", "builder", "deployer", "default-dockercfg-", "builder-dockercfg-", "deployer-dockercfg-",
	"system:image-pullers", "system:image-builders", "system:deployers",
	"istio-ca-root-cert", "istio-ca-crl", "istio-leader", "istio-namespace-controller-election", "istio-gateway-status-leader",
	"istio-gateway-deployment-", "istio-ip-autoallocate", "istio-node-untaint",
}

// maxUnmanaged limits how many names go into a message.
const maxUnmanaged = 5

// Unmanaged lists the objects in a namespace that neither this fleet nor the platform
// put there, as Kind/name, a few at most. It passes over kinds that the worker may not
// list.
func (w *Writer) Unmanaged(ctx context.Context, namespace string) ([]string, error) {
	lists, err := w.Discovery.ServerPreferredNamespacedResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("list the kinds of the cluster: %w", err)
	}
	var out []string
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") || passingKinds[r.Kind] {
				continue
			}
			objs, err := w.Dynamic.Resource(gv.WithResource(r.Name)).Namespace(namespace).List(ctx, metav1.ListOptions{})
			if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list %s in %s: %w", r.Name, namespace, err)
			}
			for i := range objs.Items {
				o := &objs.Items[i]
				if !w.unmanaged(o) {
					continue
				}
				if len(out) == maxUnmanaged {
					return append(out, "…"), nil
				}
				out = append(out, r.Kind+"/"+o.GetName())
			}
		}
	}
	return out, nil
}

// unmanaged returns whether a person made the object. What an object owns was made
// with it, and what is being deleted is no longer in the way.
func (w *Writer) unmanaged(o *unstructured.Unstructured) bool {
	platform := slices.ContainsFunc(platformObjects, func(p string) bool {
		return o.GetName() == p || strings.HasSuffix(p, "-") && strings.HasPrefix(o.GetName(), p)
	})
	return !platform && o.GetLabels()[fleet.LabelFleet] != w.Owner.Fleet && len(o.GetOwnerReferences()) == 0 && o.GetDeletionTimestamp() == nil
}
