package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// checkEastWest compares the existing east-west gateway with the fleet file.
func (c *cluster) checkEastWest(ctx context.Context, m api.Mesh) error {
	want, namespace := c.in.Existing.Gateways.EastWest, c.in.Namespace
	there := m.EastWest
	if want.Address.Known() {
		// What leads to the gateway is not its Service: any sort of Service will do.
		var err error
		if there, err = eastWestGateways(ctx, c.Cluster, namespace, c.in.Existing.Gateways.DataPlanePort, anyService); err != nil {
			return err
		}
	}
	at := slices.IndexFunc(there, func(g api.MeshGateway) bool { return g.Service == want.Service.Name })
	if at < 0 && want.Address.Known() {
		c.problem("it has no Service %s/%s with port %d and a selector; %s", namespace, want.Service.Name, c.in.Existing.Gateways.DataPlanePort, proposal(there))
		return nil
	}
	if at < 0 {
		c.problem("it has no Service %s/%s of type LoadBalancer with port %d; %s", namespace, want.Service.Name, c.in.Existing.Gateways.DataPlanePort, proposal(m.EastWest))
		return nil
	}
	account, found, err := accountOf(ctx, c.Cluster, namespace, want.Labels)
	if err != nil {
		return err
	}
	switch {
	case !found:
		c.problem("no Deployment in %s has pods with the labels %s; set spec.gateways.eastWest.labels: %s", namespace, showLabels(want.Labels), showLabels(there[at].Labels))
	case account != want.ServiceAccount:
		c.problem("its east-west gateway runs as %s, the fleet file says %s; set spec.gateways.eastWest.serviceAccount: %s", account, want.ServiceAccount, account)
	}
	others, err := c.allowing(ctx, want.Labels)
	if len(others) > 0 {
		c.problem("its east-west gateway has AuthorizationPolicies of its own (%s), and beside them Landbridge would allow more: where one policy allows, any may; remove them, or set spec.gateways.eastWest.manage: true for a gateway of Landbridge's",
			strings.Join(others, ", "))
	}
	return err
}

// proposal tells how to use the gateways that are there.
func proposal(there []api.MeshGateway) string {
	if len(there) == 0 {
		return "install one, or set spec.gateways.eastWest.manage: true"
	}
	var out []string
	for _, g := range there {
		account := ""
		if g.ServiceAccount != "" {
			account = ", serviceAccount: " + g.ServiceAccount
		}
		out = append(out, fmt.Sprintf("{manage: false, service: {name: %s}, labels: %s%s}", g.Service, showLabels(g.Labels), account))
	}
	return "set spec.gateways.eastWest: " + strings.Join(out, " or ")
}

// allowing returns the AuthorizationPolicies of others that allow something on the
// gateway.
func (c *cluster) allowing(ctx context.Context, pods map[string]string) (names []string, err error) {
	list, err := c.In(kinds.AuthorizationPolicies, c.in.Namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil // a problem names the kind already
	}
	if err != nil {
		return nil, fmt.Errorf("list the AuthorizationPolicies of %s: %w", c.in.Namespace, err)
	}
	for _, p := range list.Items {
		action, _, _ := unstructured.NestedString(p.Object, "spec", "action")
		match, _, _ := unstructured.NestedStringMap(p.Object, "spec", "selector", "matchLabels")
		if p.GetLabels()[fleet.LabelFleet] == "" && (action == "" || action == "ALLOW") && labels.SelectorFromSet(match).Matches(labels.Set(pods)) {
			names = append(names, p.GetName())
		}
	}
	return names, nil
}

// anyService stands for Services of every type.
const anyService corev1.ServiceType = ""

// eastWestGateways finds Services that look like an east-west gateway: they are of the
// given type and have the port of the mesh's own traffic.
func eastWestGateways(ctx context.Context, c *kube.Cluster, namespace string, dataPlanePort int, sort corev1.ServiceType) (out []api.MeshGateway, err error) {
	list, err := c.Client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the Services of %s: %w", namespace, err)
	}
	for _, svc := range list.Items {
		open := slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == dataPlanePort })
		if sort != anyService && svc.Spec.Type != sort || !open || len(svc.Spec.Selector) == 0 {
			continue
		}
		account, _, err := accountOf(ctx, c, namespace, svc.Spec.Selector)
		if err != nil {
			return nil, err
		}
		out = append(out, api.MeshGateway{Service: svc.Name, Labels: svc.Spec.Selector, ServiceAccount: account})
	}
	return out, nil
}

// accountOf returns the service account of the Deployment whose pods a selector
// finds. A pod that names none runs as the namespace's default.
func accountOf(ctx context.Context, c *kube.Cluster, namespace string, selector map[string]string) (account string, found bool, err error) {
	list, err := c.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", false, fmt.Errorf("list the Deployments of %s: %w", namespace, err)
	}
	for _, d := range list.Items {
		if labels.SelectorFromSet(selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			if account = d.Spec.Template.Spec.ServiceAccountName; account == "" {
				account = defaultAccount
			}
			return account, true, nil
		}
	}
	return "", false, nil
}

// defaultAccount is Kubernetes' name for the account of pods that name none.
const defaultAccount = "default"

func showLabels(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+": "+m[k])
	}
	return "{" + strings.Join(out, ", ") + "}"
}
