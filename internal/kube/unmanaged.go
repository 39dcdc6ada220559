package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/landbridge/landbridge/internal/fleet"
)

// passingKinds come and go with what they belong to, or are reports.
var passingKinds = map[string]bool{"Event": true, "Lease": true, "Endpoints": true, "EndpointSlice": true,
	"Pod": true, "ReplicaSet": true, "ControllerRevision": true, "PodMetrics": true}

// platformObjects is what Kubernetes, OpenShift and Istio put into every namespace.
var platformObjects = []string{"kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert", "istio-ca-crl", "istio-leader", "istio-namespace-controller-election", "istio-gateway-status-leader", "istio-gateway-deployment-", "istio-ip-autoallocate", "istio-node-untaint", "default", "builder", "deployer",
	"default-dockercfg-", "builder-dockercfg-", "deployer-dockercfg-", "default-token-", "system:image-pullers", "system:image-builders", "system:deployers"}

// maxStrangers is how many names go into a message.
const maxStrangers = 5

// Unmanaged lists objects in a namespace that neither this fleet nor the
// platform put there, as Kind/name, a few at most. Kinds that the worker may not
// list are passed over: it has no say in them.
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
				if o.GetLabels()[fleet.LabelFleet] == w.Owner.Fleet || len(o.GetOwnerReferences()) > 0 || isFurniture(o.GetName()) || o.GetDeletionTimestamp() != nil {
					continue
				}
				if out = append(out, r.Kind+"/"+o.GetName()); len(out) == maxStrangers {
					return append(out, "…"), nil
				}
			}
		}
	}
	return out, nil
}

func isFurniture(name string) bool {
	return slices.ContainsFunc(platformObjects, func(f string) bool {
		return name == f || strings.HasSuffix(f, "-") && strings.HasPrefix(name, f)
	})
}
