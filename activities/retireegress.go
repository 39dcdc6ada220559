package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// RetireEgress removes what a link has of the other mode of egress gateways, once the link is
// proven in its mode: first its configuration, then its own gateway, or its Service of the
// shared one. The Service goes last, by which CheckEgress knows that there is something left.
func (a *Activities) RetireEgress(ctx context.Context, in api.RetireEgressInput) (fleet.Changes, error) {
	leaves, here := in.Mode.Other(), api.RemoveInput{ClusterRef: in.ClusterRef}
	config, err := a.writer(ctx, in.ClusterRef, componentEgressConfig, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, k := range []kinds.Resource{kinds.VirtualServices, kinds.IstioGateways, kinds.AuthorizationPolicies} {
		if err := removeNamed(ctx, config, k, here, leaves.Service(in.Link.To)); err != nil {
			return config.Changes(), err
		}
	}
	gateway, err := a.retireGateway(ctx, in)
	return fleet.Changes{Changes: append(config.Changes().Changes, gateway.Changes...)}, err
}

// retireGateway removes the gateway that a link had for itself, or its Service of the shared one.
func (a *Activities) retireGateway(ctx context.Context, in api.RetireEgressInput) (fleet.Changes, error) {
	leaves, here := in.Mode.Other(), api.RemoveInput{ClusterRef: in.ClusterRef, Link: in.Link.ID()}
	if !leaves.Shared() {
		return a.removeGateways(ctx, here, componentEgress, kinds.NetworkPolicies)
	}
	w, err := a.writer(ctx, in.ClusterRef, componentEgress, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	err = removeNamed(ctx, w, kinds.Services, here, leaves.Service(in.Link.To))
	return w.Changes(), err
}
