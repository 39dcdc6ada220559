package activities

import (
	"context"

	security "istio.io/client-go/pkg/apis/security/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

const (
	componentAccess = "access"
	accessPrefix    = "kube-apiserver-from-"
)

// EnsureAccess does step 8 for one link, in the target: it lets the source's egress
// identity use the port of the API. Without it, that source is shut out.
func (a *Activities) EnsureAccess(ctx context.Context, in api.EnsureAccessInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentAccess, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	err = w.Apply(ctx, access(in))
	return w.Changes(), err
}

// RemoveAccess undoes EnsureAccess. New connections are refused at once; an open
// one lives until Envoy has drained it, 45 s by default.
func (a *Activities) RemoveAccess(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentAccess, in.Namespace, kinds.AuthorizationPolicies)
}

func access(in api.EnsureAccessInput) *security.AuthorizationPolicy {
	return workloadPolicy(accessPrefix+in.Link.From, in.Namespace, in.EastWest.Selector(),
		usesPort(in.APIPort, identities(in)...))
}

// identities lists those of the source's egress gateways that the link uses.
func identities(in api.EnsureAccessInput) (out []string) {
	modes := []fleet.EgressMode{in.Mode}
	if in.BothModes {
		modes = append(modes, in.Mode.Other())
	}
	for _, m := range modes {
		out = append(out, fleet.Principal(in.TrustDomain, in.SourceNamespace, m.Identity(in.Link)))
	}
	return out
}
