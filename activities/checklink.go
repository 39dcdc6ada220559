package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/proof"
)

// UnprovenError tells why a link that is in place does not carry requests.
type UnprovenError struct{ Reason string }

func (e *UnprovenError) Error() string { return e.Reason }

// CheckLink proves a link and changes nothing; package proof tells how. Where the
// link is not proven, the result names the hop; the error is an *UnprovenError if
// the input says that the link must be proven. In that case, which is a rollout's, it
// also tries once a day whether other pods than istiod's get a connection to the egress
// gateway, with a pod that it starts and removes.
func (a *Activities) CheckLink(ctx context.Context, in api.CheckLinkInput) (api.CheckLinkResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.CheckLinkResult{}, err
	}
	kube.Waiting(ctx, "proving "+in.Link.String())
	r, err := proof.Link(ctx, c, in.LinkRef, in.Patience)
	if err == nil && !r.Proven && in.Must {
		err = &UnprovenError{r.Sentence()}
	}
	if err != nil || !r.Proven {
		return r, err
	}
	w, err := a.writer(ctx, in.ClusterRef, componentEgress, in.Link.ID())
	if err != nil {
		return r, err
	}
	others, err := proof.OtherPods(ctx, w, in.LinkRef, r.EgressMode, in.Must)
	if others != nil {
		r.Checks = append(r.Checks, *others)
	}
	return r, err
}
