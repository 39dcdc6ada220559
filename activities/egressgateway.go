package activities

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentEgress = fleet.ComponentEgress

// EnsureEgressGateway does step 10: it installs the gateway chart as
// kube-apiserver-<target>-egress-gateway, under an identity by which the target
// knows this source. A NetworkPolicy lets istiod in, and no other pod. Where all links of the
// source share a gateway, the target gets a Service that leads to a port of its own there.
func (a *Activities) EnsureEgressGateway(ctx context.Context, in api.EnsureEgressGatewayInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentEgress, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	if in.Gateways.Egress.Mode.Shared() {
		err := w.Apply(ctx, sharedService(in))
		return w.Changes(), err
	}
	return a.ensureEgress(ctx, w, egressRelease(in), portRange(fleet.EgressPort, fleet.EgressPort))
}

// ensureEgress installs an egress gateway, and before it the NetworkPolicy that lets istiod in at
// these ports.
func (a *Activities) ensureEgress(ctx context.Context, w *kube.Writer, g gatewayRelease, ports networkingv1.NetworkPolicyPort) (fleet.Changes, error) {
	if err := ensureEgressPolicy(ctx, w, g, ports); err != nil {
		return w.Changes(), err
	}
	return a.ensureGateway(ctx, w, g.settings.Istio.Namespace, g)
}

// ensureEgressPolicy comes before the gateway, so that there is no moment without it.
func ensureEgressPolicy(ctx context.Context, w *kube.Writer, in gatewayRelease, ports networkingv1.NetworkPolicyPort) error {
	egress, namespace := in.settings.Gateways.Egress, in.settings.Istio.Namespace
	if !egress.NetworkPolicy.Wanted() {
		return removeNamed(ctx, w, kinds.NetworkPolicies, api.RemoveInput{ClusterRef: api.ClusterRef{Namespace: namespace}}, in.name)
	}
	policy, err := egressPolicy(in.name, namespace, egress, ports)
	if err != nil {
		return err
	}
	return w.Apply(ctx, policy)
}

func egressRelease(in api.EnsureEgressGatewayInput) gatewayRelease {
	return gatewayRelease{name: fleet.EgressGateway(in.Link.To), settings: in.GatewaySettings, pods: in.Gateways.Egress.Pods, field: "gateways.egress", values: map[string]any{
		"serviceAccount": map[string]any{"name": fleet.EgressIdentity(in.Link)},
		"service":        map[string]any{"type": "ClusterIP", "ports": []any{gatewayPort(egressPortName, fleet.EgressPort)}},
	}}
}

// egressPortName names the port of the Service to which istiod connects.
const egressPortName = "remote-kube-apiserver"

// RemoveEgressGateway undoes EnsureEgressGateway. With the last link of a source goes the
// gateway that its links shared; an undo leaves that to RemoveSharedEgress.
func (a *Activities) RemoveEgressGateway(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	out, err := a.removeGateways(ctx, in, componentEgress, kinds.NetworkPolicies)
	if err != nil {
		return out, err
	}
	shared, err := a.removeShared(ctx, in)
	out.Changes = append(out.Changes, shared.Changes...)
	return out, err
}
