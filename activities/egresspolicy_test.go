package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const policyToWest = "NetworkPolicy istio-system/kube-apiserver-west-egress-gateway"

func TestEgressPolicy_MetricsFrom_OpensThePortsOfMetricsAndNoOther(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	in := w.egressToWest()
	in.Gateways.Egress.NetworkPolicy.MetricsFrom = []map[string]any{
		{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"team": "monitoring"}}}, {"ipBlock": map[string]any{"cidr": "10.1.0.0/16"}}}
	_, err := w.acts.EnsureEgressGateway(t.Context(), in)
	require.NoError(t, err)
	p := w.policy()
	require.Len(t, p.Spec.Ingress, 2)
	require.Equal(t, map[string]string{"app": "istiod"}, p.Spec.Ingress[0].From[0].PodSelector.MatchLabels)
	require.Nil(t, p.Spec.Ingress[0].From[0].NamespaceSelector, "an app=istiod of another namespace is not Istio's")
	require.Equal(t, []string{"443"}, ports(p.Spec.Ingress[0]))
	require.Equal(t, []string{"15020", "15021", "15090"}, ports(p.Spec.Ingress[1]))
	require.Equal(t, "10.1.0.0/16", p.Spec.Ingress[1].From[1].IPBlock.CIDR)
}

func TestEgressPolicy_NotWantedAnyMore_Goes_AndComesBack(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	in := w.egressToWest()
	made, err := w.acts.EnsureEgressGateway(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "create "+policyToWest, actions(made.All())[0], "before the gateway")
	no := false
	in.Gateways.Egress.NetworkPolicy.Enabled = &no
	for _, dry := range []bool{true, false} {
		in.DryRun = dry
		gone, err := w.acts.EnsureEgressGateway(t.Context(), in)
		require.NoError(t, err)
		require.Contains(t, actions(gone.All()), "remove "+policyToWest)
		require.Equal(t, dry, w.snapshot()[policyToWest] != nil)
	}
	in.Gateways.Egress.NetworkPolicy.Enabled = nil
	back, err := w.acts.EnsureEgressGateway(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, actions(back.All()), "create "+policyToWest)
}

// Somebody who opens it is seen, and put back only if that is asked for.
func TestEgressPolicy_OpenedBySomebody_IsDrift(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	in := w.egressToWest()
	_, err := w.acts.EnsureEgressGateway(t.Context(), in)
	require.NoError(t, err)
	p := w.policy()
	p.Spec.Ingress[0].From = append(p.Spec.Ingress[0].From, networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{}})
	w.Put(p)
	_, err = w.acts.EnsureEgressGateway(t.Context(), in)
	var drift *kube.DriftError
	require.ErrorAs(t, err, &drift)
	require.Equal(t, "NetworkPolicy", drift.Kind)
	in.ForceConflicts = true
	_, err = w.acts.EnsureEgressGateway(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, w.policy().Spec.Ingress[0].From, 1)
}

func (w *world) policy() *networkingv1.NetworkPolicy {
	w.t.Helper()
	p, err := w.Client.NetworkingV1().NetworkPolicies("istio-system").Get(w.t.Context(), fleet.EgressGateway("west"), metav1.GetOptions{})
	require.NoError(w.t, err)
	p.TypeMeta = metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}
	return p
}

func ports(r networkingv1.NetworkPolicyIngressRule) (out []string) {
	for _, p := range r.Ports {
		out = append(out, p.Port.String())
	}
	return out
}

func (w *world) egressToWest() api.EnsureEgressGatewayInput {
	return api.EnsureEgressGatewayInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: fromEast[0]}, GatewaySettings: guideGateways()}
}
