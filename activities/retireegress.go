package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
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
	w, err := a.writer(ctx, in.ClusterRef, componentEgress, in.Link.ID())
	if err != nil {
		return config.Changes(), err
	}
	if leaves.Shared() {
		err = removeNamed(ctx, w, kinds.Services, here, leaves.Service(in.Link.To))
	} else {
		err = retireGateway(ctx, w, here)
	}
	return fleet.Changes{Changes: append(config.Changes().Changes, w.Changes().Changes...)}, err
}

// retireGateway removes the gateway that a link had for itself.
func retireGateway(ctx context.Context, w *kube.Writer, in api.RemoveInput) error {
	if err := w.Remove(ctx, kinds.NetworkPolicies, in.Namespace, ""); err != nil {
		return err
	}
	releases, err := chart.Open(ctx, w, in.Namespace)
	if err != nil {
		return err
	}
	if err := releases.Remove(ctx, ""); err != nil {
		return err
	}
	return waitServicesGone(ctx, w, in.Namespace)
}
