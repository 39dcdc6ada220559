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
// the input says that the link must be proven.
func (a *Activities) CheckLink(ctx context.Context, in api.CheckLinkInput) (api.CheckLinkResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.CheckLinkResult{}, err
	}
	kube.Waiting(ctx, "proving "+in.Link.String())
	r, err := proof.Link(ctx, c, in.LinkRef, in.Patience)
	if err == nil && !r.Proven && in.Must {
		err = &UnprovenError{r.Sentence()}
	}
	return r, err
}
