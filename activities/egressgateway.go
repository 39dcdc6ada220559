package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentEgress = "egress-gateway"

// EnsureEgressGateway does step 10: it installs the gateway chart as
// kube-apiserver-<target>-egress-gateway, under an identity by which the target
// knows this source. A NetworkPolicy lets istiod in, and no other pod.
func (a *Activities) EnsureEgressGateway(ctx context.Context, in api.EnsureEgressGatewayInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentEgress, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := ensureEgressPolicy(ctx, w, in); err != nil {
		return w.Changes(), err
	}
	return a.ensureGateway(ctx, w, in.Namespace, egressRelease(in))
}

// ensureEgressPolicy comes before the gateway, so that there is no moment without it.
func ensureEgressPolicy(ctx context.Context, w *kube.Writer, in api.EnsureEgressGatewayInput) error {
	if !in.Gateways.Egress.NetworkPolicy.Wanted() {
		return w.Remove(ctx, kinds.NetworkPolicies, in.Namespace, "")
	}
	policy, err := egressPolicy(in)
	if err != nil {
		return err
	}
	return w.Apply(ctx, policy)
}

func egressRelease(in api.EnsureEgressGatewayInput) gatewayRelease {
	return gatewayRelease{name: fleet.EgressGateway(in.Link.To), settings: in.GatewaySettings, pods: in.Gateways.Egress.Pods, field: "gateways.egress", values: map[string]any{
		"serviceAccount": map[string]any{"name": fleet.EgressIdentity(in.Link)},
		"service":        map[string]any{"type": "ClusterIP", "ports": []any{gatewayPort("remote-kube-apiserver", fleet.EgressPort)}},
	}}
}

// RemoveEgressGateway undoes EnsureEgressGateway.
func (a *Activities) RemoveEgressGateway(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeGateways(ctx, in, componentEgress, kinds.NetworkPolicies)
}
