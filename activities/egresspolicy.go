package activities

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// The ports of every Istio proxy that others ask: all metrics of the pod, readiness, and
// Envoy's own metrics.
var proxyPorts = []int{15020, 15021, 15090}

// egressPolicy lets istiod's pods connect to an egress gateway, and whom the fleet file
// names to its metrics and probes. Nobody else gets a connection, so that a token which
// somebody stole is of no use to another pod of the cluster.
func egressPolicy(name, namespace string, egress fleet.Egress, ports networkingv1.NetworkPolicyPort) (*networkingv1.NetworkPolicy, error) {
	istiod, err := metav1.ParseToLabelSelector(fleet.IstiodPods)
	if err != nil {
		return nil, err
	}
	rules := []networkingv1.NetworkPolicyIngressRule{{
		From: []networkingv1.NetworkPolicyPeer{{PodSelector: istiod}}, Ports: []networkingv1.NetworkPolicyPort{ports}}}
	if given := egress.NetworkPolicy.MetricsFrom; len(given) > 0 {
		peers, err := peersOf(given)
		if err != nil {
			return nil, err
		}
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{From: peers, Ports: tcpPorts(proxyPorts...)})
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   typeMeta(kinds.NetworkPolicies),
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     rules,
		},
	}, nil
}

// portRange returns the TCP ports from one to another one.
func portRange(first, last int32) networkingv1.NetworkPolicyPort {
	out := tcpPorts(int(first))[0]
	if last > first {
		out.EndPort = &last
	}
	return out
}

func tcpPorts(numbers ...int) (out []networkingv1.NetworkPolicyPort) {
	tcp := corev1.ProtocolTCP
	for _, n := range numbers {
		port := intstr.FromInt(n)
		out = append(out, networkingv1.NetworkPolicyPort{Protocol: &tcp, Port: &port})
	}
	return out
}

// peersOf reads peers that the fleet file's validation has read before.
func peersOf(given []map[string]any) (out []networkingv1.NetworkPolicyPeer, err error) {
	data, err := json.Marshal(given)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("gateways.egress.networkPolicy.metricsFrom: %w", err)
	}
	return out, nil
}
