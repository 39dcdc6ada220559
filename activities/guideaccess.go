package activities

import (
	"context"

	security "istio.io/client-go/pkg/apis/security/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// guideAccessName names a policy with which sources use the port of the API as the guide has
// them known to a target: from the denial, or from the moment at which a cleanup gives their
// gateways back, until the step that gives or takes the identities of Landbridge's own.
const guideAccessName = "east-west-guide"

// LetGuideIn lets the guide's egress gateways in again, before a cleanup gives them back:
// the denial goes last.
func (a *Activities) LetGuideIn(ctx context.Context, in api.EnsureExposureInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentExposure, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	err = w.Apply(ctx, guideAccess(in))
	return w.Changes(), err
}

// ShutGuideOut shuts the guide's egress gateways out, once each link of the target has an
// identity of its own. RemoveExposure does so, too.
func (a *Activities) ShutGuideOut(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentExposure, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	policies, err := w.Owned(ctx, kinds.AuthorizationPolicies, in.Namespace, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, p := range policies {
		if p.GetName() != guideAccessName {
			continue
		}
		if err := w.Delete(ctx, kinds.AuthorizationPolicies, &p); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// beforeDenial lets the guide's egress gateways in where there is no denial yet. An exposure that
// was the fleet's before has one, and its links have identities of their own.
func beforeDenial(ctx context.Context, w *kube.Writer, in api.EnsureExposureInput) error {
	if len(in.Guide) == 0 {
		return nil
	}
	_, err := w.Get(ctx, kinds.AuthorizationPolicies, in.Namespace, denyName)
	if apierrors.IsNotFound(err) {
		return w.Apply(ctx, guideAccess(in))
	}
	return wrap(err, "read AuthorizationPolicy %s/%s", in.Namespace, denyName)
}

func guideAccess(in api.EnsureExposureInput) *security.AuthorizationPolicy {
	return workloadPolicy(guideAccessName, in.Namespace, in.Gateways.EastWest.Selector(), usesPort(in.Gateways.APIPort, in.Guide...))
}
