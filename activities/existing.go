package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// checkMesh compares what the fleet file says of a mesh that is there with what
// is, and where it says that there is none, looks for one that Landbridge would
// install another beside. Each problem proposes the setting that fits.
func (a *Activities) checkMesh(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, out *api.CheckClusterResult) error {
	if in.Existing == nil {
		return uninvited(ctx, c, in, out)
	}
	m, err := findMesh(ctx, c, in.Namespace, in.Existing.Gateways.DataPlanePort)
	if err != nil {
		return err
	}
	out.Mesh = &m
	problem := func(format string, args ...any) { out.Problems = append(out.Problems, fmt.Sprintf(format, args...)) }
	e := in.Existing
	if !e.Istio.Managed() {
		checkIstiod(e, m, in.Cluster, problem)
	}
	if !e.CA.Managed() && len(m.Roots) == 0 {
		problem("it has no root yet: neither ConfigMap istio-ca-root-cert nor Secret cacerts is in %s; start its istiod, plug a CA in, or say spec.ca.manage: true", in.Namespace)
	}
	if !e.Gateways.EastWest.Managed() {
		return checkEastWest(ctx, c, in, m, problem)
	}
	return nil
}

// uninvited finds an istiod that neither Landbridge nor an Istio resource made.
func uninvited(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, out *api.CheckClusterResult) error {
	istios, err := c.In(kinds.Istios, "").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil || len(istios.Items) > 0 {
		return ignoreMissingKind(err)
	}
	list, err := c.Client.AppsV1().Deployments(in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return wrap(err, "look for istiod")
	}
	for i := range list.Items {
		rev := revisionOf(&list.Items[i])
		out.Problems = append(out.Problems, fmt.Sprintf("it runs an Istio already (Deployment %s/%s, revision %s), which is not Sail's; say spec.istio: {manage: false, revision: %s} to use it (`landbridge init --existing` writes a file with all that is there)",
			in.Namespace, list.Items[i].Name, rev, rev))
	}
	return nil
}

func checkIstiod(e *api.Existing, m api.Mesh, cluster string, problem func(string, ...any)) {
	at := slices.IndexFunc(m.Istiods, func(i api.Istiod) bool { return i.Revision == e.Istio.Revision })
	if at < 0 {
		var have []string
		for _, i := range m.Istiods {
			have = append(have, i.Revision)
		}
		if len(have) == 0 {
			problem("it runs no istiod in %s; install Istio, or say spec.istio.manage: true", e.Istio.Namespace)
			return
		}
		problem("it runs no istiod of the revision %s; say spec.istio.revision: %s", e.Istio.Revision, strings.Join(have, " or "))
		return
	}
	is := m.Istiods[at]
	if is.ClusterName != "" && is.ClusterName != cluster {
		problem("its istiod calls it %s (CLUSTER_ID); call the cluster so in the fleet file, since the others know it by that name", is.ClusterName)
	}
	if is.TrustDomain != e.Istio.TrustDomain {
		problem("its mesh has the trust domain %s, the fleet file says %s; say spec.istio.trustDomain: %s", is.TrustDomain, e.Istio.TrustDomain, is.TrustDomain)
	}
	if m.Network != "" && m.Network != e.Network {
		problem("its network is %s (label %s of namespace %s), the fleet file says %s; say network: %s at the cluster", m.Network, fleet.LabelNetwork, e.Istio.Namespace, e.Network, m.Network)
	}
}

func checkEastWest(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, m api.Mesh, problem func(string, ...any)) error {
	e, namespace := in.Existing, in.Namespace
	want := e.Gateways.EastWest
	at := slices.IndexFunc(m.EastWest, func(g api.MeshGateway) bool { return g.Service == want.Service.Name })
	if at < 0 {
		hint := "install one, or say spec.gateways.eastWest.manage: true"
		for _, g := range m.EastWest {
			hint = fmt.Sprintf("say spec.gateways.eastWest: {manage: false, service: {name: %s}, labels: %s, serviceAccount: %s}", g.Service, showLabels(g.Labels), g.ServiceAccount)
		}
		problem("it has no Service %s/%s of type LoadBalancer with port %d; %s", namespace, want.Service.Name, e.Gateways.DataPlanePort, hint)
		return nil
	}
	is := m.EastWest[at]
	account, err := accountOf(ctx, c, namespace, want.Labels)
	if err != nil {
		return err
	}
	switch {
	case account == "":
		problem("no Deployment in %s has pods with the labels %s; say spec.gateways.eastWest.labels: %s", namespace, showLabels(want.Labels), showLabels(is.Labels))
	case account != want.ServiceAccount:
		problem("its east-west gateway runs as %s, the fleet file says %s; say spec.gateways.eastWest.serviceAccount: %s", account, want.ServiceAccount, account)
	}
	theirs, err := allowing(ctx, c, namespace, want.Labels)
	if err == nil && len(theirs) > 0 {
		problem("its east-west gateway has AuthorizationPolicies of its own (%s) that ours would open: where one policy allows, any may; take them off, or let Landbridge install a gateway of its own (spec.gateways.eastWest.manage: true)", strings.Join(theirs, ", "))
	}
	return err
}

// allowing are the AuthorizationPolicies of others that allow something on the
// gateway: what ours allows would be allowed beside it.
func allowing(ctx context.Context, c *kube.Cluster, namespace string, pods map[string]string) ([]string, error) {
	list, err := c.In(kinds.AuthorizationPolicies, namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, wrap(ignoreMissingKind(err), "list the AuthorizationPolicies of %s", namespace)
	}
	var out []string
	for _, p := range list.Items {
		action, _, _ := unstructured.NestedString(p.Object, "spec", "action")
		match, _, _ := unstructured.NestedStringMap(p.Object, "spec", "selector", "matchLabels")
		if p.GetLabels()[fleet.LabelFleet] == "" && (action == "" || action == "ALLOW") && labels.SelectorFromSet(match).Matches(labels.Set(pods)) {
			out = append(out, p.GetName())
		}
	}
	return out, nil
}

// ignoreMissingKind leaves a kind that is not there to checkKinds.
func ignoreMissingKind(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
