package kube

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// platformObjects lists what no rule can see: what Kubernetes, OpenShift and Istio put
// into namespaces, by name; one that ends in a dash begins names. Istio leaves out
// Kubernetes' own namespaces, so that a comparison with these does not find it.
var platformObjects = map[string][]string{
	"ConfigMap": {"kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert", "istio-ca-crl", "istio-leader", "istio-namespace-controller-election",
		"istio-gateway-status-leader", "istio-gateway-deployment-", "istio-ip-autoallocate", "istio-node-untaint"},
	"ServiceAccount": {"default", "builder", "deployer"},
	"Secret":         {"default-token-", "builder-token-", "deployer-token-", "default-dockercfg-", "builder-dockercfg-", "deployer-dockercfg-"},
	"RoleBinding":    {"system:image-pullers", "system:image-builders", "system:deployers"},
}

// copyMarks lists the labels with which a controller marks what it copies into
// namespaces, with the group of the kinds that it copies. Empty: any.
var copyMarks = map[string]string{
	"olm.copiedFrom":              "operators.coreos.com", // an operator for all namespaces
	"hnc.x-k8s.io/inherited-from": "",                     // the hierarchical namespace controller
}

// personsTools begins the names of field managers by which people write objects, by
// hand or from a repository: what these wrote is never a platform's.
var personsTools = []string{"kubectl", "oc", "helm", "helm-controller", "kustomize-controller", "kustomize", "flux", "argocd", "argocd-controller", "argocd-application-controller",
	"terraform", "terraform-provider-kubernetes", "hashicorp", "pulumi", "pulumi-kubernetes", "kapp", "kapp-controller", "skaffold", "ansible", "openapi-generator",
	"python-requests", "curl", "mozilla", "postmanruntime", "k9s", "lens", "node-fetch", "dashboard", "headlamp", "before-first-apply", "unknown"}

// unmanagedOf returns those of a kind's objects that a person made, or may have made.
func (w *Writer) unmanagedOf(ctx context.Context, compare *comparison, r kinds.Resource, objs []unstructured.Unstructured) (out []string, _ error) {
	for i := range objs {
		o := &objs[i]
		if w.managed(o, r) {
			continue
		}
		same, err := compare.finds(ctx, r, o)
		if err != nil {
			return nil, err
		}
		if same {
			continue
		}
		by := ""
		if who := writers(o); len(who) > 0 {
			by = " (written by " + listed(who) + ")"
		}
		out = append(out, r.Kind+"/"+o.GetName()+by)
	}
	return out, nil
}

// managed returns whether an object by itself shows that no person made it. What has
// an owner was made for it: an owner in the namespace is judged itself, and one
// outside, or one that is gone, is not in the namespace's way.
func (w *Writer) managed(o *unstructured.Unstructured, r kinds.Resource) bool {
	if o.GetLabels()[fleet.LabelFleet] == w.Owner.Fleet || o.GetDeletionTimestamp() != nil || len(o.GetOwnerReferences()) > 0 {
		return true
	}
	for label, group := range copyMarks {
		if _, ok := o.GetLabels()[label]; ok && (group == "" || group == r.Group) {
			return true
		}
	}
	return slices.ContainsFunc(platformObjects[r.Kind], func(p string) bool {
		return o.GetName() == p || strings.HasSuffix(p, "-") && strings.HasPrefix(o.GetName(), p)
	})
}

// writers lists the field managers that wrote more of an object than its status.
func writers(o *unstructured.Unstructured) (out []string) {
	for _, m := range o.GetManagedFields() {
		if m.Manager != "" && m.Subresource == "" {
			out = append(out, m.Manager)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// byHand returns whether a person's tool is among the writers.
func byHand(writers []string) bool {
	return slices.ContainsFunc(writers, func(by string) bool {
		return slices.ContainsFunc(personsTools, func(tool string) bool {
			rest, ok := strings.CutPrefix(strings.ToLower(by), tool)
			return ok && (rest == "" || strings.ContainsAny(rest[:1], "-_./ "))
		})
	})
}
