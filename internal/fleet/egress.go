package fleet

import (
	"fmt"
	"net/netip"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Egress says how the egress gateways run, and who may connect to them.
type Egress struct {
	// Mode says how many there are: perLink, one for each target, as the guide has it, or
	// shared, one for all targets of the cluster. Default: perLink.
	Mode EgressMode `json:"mode,omitempty" jsonschema:"enum=perLink,enum=shared"`
	Pods
	// NetworkPolicy of each egress gateway lets istiod's pods in.
	NetworkPolicy NetworkPolicy `json:"networkPolicy,omitzero"`
}

// NetworkPolicy says who may connect to the pods of an egress gateway. What a node asks of
// its own pods, such as the kubelet's probes, every network lets through.
type NetworkPolicy struct {
	// Enabled says whether there is one. Default: true. Without it every pod of the cluster
	// that has a token of the target may use the gateway.
	Enabled *bool `json:"enabled,omitempty"`
	// MetricsFrom lists those who may reach the ports of metrics and probes (15020, 15021
	// and 15090), as a NetworkPolicy's from does, such as
	// {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}.
	// Default: nobody.
	MetricsFrom []map[string]any `json:"metricsFrom,omitzero"`
}

// Wanted says whether the egress gateways have a NetworkPolicy.
func (n NetworkPolicy) Wanted() bool { return n.Enabled == nil || *n.Enabled }

// The answers with which AnnotationOtherPods begins.
const (
	OtherPodsGetIn = "open"
	OtherPodsDoNot = "closed"
)

// OpenToOtherPods says whether a NetworkPolicy with these annotations was found to keep
// nobody out.
func OpenToOtherPods(annotations map[string]string) bool {
	answer, _, _ := strings.Cut(annotations[AnnotationOtherPods], " ")
	return answer == OtherPodsGetIn
}

// validateEgressMode refuses to adopt the guide's mesh into a mode that it has not: its egress
// gateways would be left to nobody.
func validateEgressMode(at string, f *Fleet, m EgressMode, ps *problems) {
	if f.Spec.Adopt && m.Shared() {
		ps.add(at, "does not go with adopt: true, since the egress gateways that are there are perLink; adopt them first, and then leave adopt out and change the mode")
	}
}

func validateNetworkPolicy(at string, n NetworkPolicy, ps *problems) {
	if !n.Wanted() && len(n.MetricsFrom) > 0 {
		ps.add(at+".metricsFrom", "is for a NetworkPolicy, and enabled: false leaves it out; leave one of the two out")
		return
	}
	for i, given := range n.MetricsFrom {
		here := fmt.Sprintf("%s.metricsFrom[%d]", at, i)
		if peer, ok := strict[networkingv1.NetworkPolicyPeer](ps, here, given); ok {
			validatePeer(here, peer, ps)
		}
	}
}

// validatePeer asks of a peer what the API server asks.
func validatePeer(at string, p networkingv1.NetworkPolicyPeer, ps *problems) {
	selectors := p.PodSelector != nil || p.NamespaceSelector != nil
	switch {
	case p.IPBlock == nil && !selectors:
		ps.add(at, "want a namespaceSelector, a podSelector or an ipBlock")
	case p.IPBlock != nil && selectors:
		ps.add(at+".ipBlock", "does not go with a selector of pods; make two entries of them")
	case p.IPBlock != nil:
		validateIPBlock(at+".ipBlock", *p.IPBlock, ps)
	}
	for _, of := range []struct {
		field    string
		selector *metav1.LabelSelector
	}{{"podSelector", p.PodSelector}, {"namespaceSelector", p.NamespaceSelector}} {
		if _, err := metav1.LabelSelectorAsSelector(of.selector); err != nil {
			ps.add(at+"."+of.field, "selects nothing that Kubernetes understands: %v", err)
		}
	}
}

func validateIPBlock(at string, b networkingv1.IPBlock, ps *problems) {
	all, err := netip.ParsePrefix(b.CIDR)
	if err != nil {
		ps.add(at+".cidr", "%q is not a range of IPs, such as 10.0.0.0/8", b.CIDR)
		return
	}
	for i, e := range b.Except {
		if part, err := netip.ParsePrefix(e); err != nil || part.Bits() <= all.Bits() || !all.Contains(part.Addr()) {
			ps.add(fmt.Sprintf("%s.except[%d]", at, i), "%q is not a range of IPs inside %s", e, b.CIDR)
		}
	}
}
