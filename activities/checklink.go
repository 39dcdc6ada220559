package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/redact"
)

// UnprovenError is a link that is in place and does not carry requests.
type UnprovenError struct{ Reason string }

func (e *UnprovenError) Error() string { return e.Reason }

// CheckLink proves a link, and changes nothing: every running istiod pod of the
// source lists the target as synced; a live request goes through the egress
// gateway with the remote secret's own CA, name and token; the same request
// without the token is refused, and with another server name gets no
// connection. Where the link is not proven the result names the hop; the error
// is then an *UnprovenError if the input says that it must be.
func (a *Activities) CheckLink(ctx context.Context, in api.CheckLinkInput) (api.CheckLinkResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.CheckLinkResult{}, err
	}
	p := &prober{Cluster: c, in: in}
	limited, cancel := context.WithTimeout(ctx, max(in.Patience, oneLook))
	defer cancel()
	if in.Patience > 0 {
		err := kube.Poll(limited, func(ctx context.Context) (string, bool, error) {
			r, err := p.look(ctx)
			return r.Sentence(), r.Proven, err
		})
		// At the end of its patience it looks once more, and finds out why.
		var waiting *kube.NotReadyError
		if err != nil && (ctx.Err() != nil || !errors.As(err, &waiting) && !errors.Is(err, context.DeadlineExceeded)) {
			return api.CheckLinkResult{}, err
		}
	}
	kube.Waiting(ctx, "proving "+in.Link.String())
	r, err := p.look(ctx)
	if err != nil || r.Proven {
		return r, err
	}
	p.explain(ctx, &r)
	if in.Must {
		return r, &UnprovenError{r.Sentence()}
	}
	return r, nil
}

// oneLook bounds a look: each of its requests has a limit of its own.
const oneLook = time.Minute

// prober looks at one link.
type prober struct {
	*kube.Cluster
	in api.CheckLinkInput
	// began is when the last look began, pod which egress pod it went through, and
	// broken where it ended.
	began  time.Time
	pod    string
	broken *breakage
}

// look does each check once, and stops at the first that fails: what comes
// after it would only say the same.
func (p *prober) look(ctx context.Context) (api.CheckLinkResult, error) {
	p.began, p.pod = time.Now(), ""
	r := api.CheckLinkResult{Link: p.in.Link.String(), Checks: []api.LinkCheck{}}
	t, broken, err := p.tunnel(ctx)
	if err != nil {
		return r, err
	}
	if broken == nil {
		broken, err = t.prove(ctx, &r)
	}
	if broken == nil && err == nil {
		broken, err = p.synced(ctx, &r)
	}
	if err != nil {
		return r, err
	}
	p.broken = broken
	if broken != nil {
		r.Checks = append(r.Checks, api.LinkCheck{Name: broken.check})
		breaksAt(&r, broken.hop, broken.why)
		return r, nil
	}
	r.Proven = true
	return r, nil
}

// breaksAt says where and why. The check that failed is the last one.
func breaksAt(r *api.CheckLinkResult, hop, why string) {
	r.Hop, r.Why, r.Look = hop, redact.Secrets(strings.TrimSpace(why)), api.HopHint(hop)
	r.Checks[len(r.Checks)-1].Detail = r.Why
}

// breakage is the hop at which a look ended.
type breakage struct {
	check, hop, why string
	// far says that the source's gateway knows more of it.
	far bool
}

func passed(r *api.CheckLinkResult, check, format string, args ...any) {
	r.Checks = append(r.Checks, api.LinkCheck{Name: check, OK: true, Detail: fmt.Sprintf(format, args...)})
}

// egress is the release of the source's gateway, and its pods' app label.
func (p *prober) egress() string { return fleet.EgressGateway(p.in.Link.To) }
