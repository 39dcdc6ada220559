// Package proof proves that a link carries requests, or names the hop at which it
// breaks. It changes nothing; a rollout's proof also starts a pod for a moment, to see
// whether others than istiod get a connection to the egress gateway.
//
// A live request goes the way that istiod's requests take: through the egress
// gateway, with the CA, the server name and the token of the remote secret. The
// same request without the token must be refused, another server name must get no
// connection, and every running istiod of the source must have read the target.
//
// The code is our own, since no library does this. istiod and `istioctl
// remote-clusters` tell what istiod read once, and a cluster stays "synced" there
// when nothing goes through any more. `kubectl port-forward` listens on a port
// through which everybody on the worker's machine would reach the target. `istioctl
// proxy-config` shows how a gateway is configured, not where a connection ended;
// only Envoy's access log tells that, and no library reads it.
package proof

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/redact"
)

const (
	// lastLook bounds the look whose answer counts, and the search for its cause.
	lastLook = time.Minute
	// maxWhy in bytes is enough for a sentence and a line of an access log.
	maxWhy = 700
)

// Link proves a link from its source cluster. It looks again until its patience
// ends, since istiod and the gateways follow a change within seconds; with no
// patience it looks once. Where the link is not proven, the result names the hop.
// An error means that the source could not be looked at, or that the wait was ended.
func Link(ctx context.Context, source *kube.Cluster, link api.LinkRef, patience time.Duration) (api.CheckLinkResult, error) {
	p := &prober{Cluster: source, link: link.Link, id: link.TargetIstioID(), namespace: link.Namespace, dial: source.DialPod}
	return p.prove(ctx, patience)
}

// prober looks at one link from its source.
type prober struct {
	*kube.Cluster
	link fleet.Link
	// id names the target as Istio knows it.
	id string
	// namespace is Istio's, where the egress gateway runs too.
	namespace string
	// dial connects to a port on a pod's own loopback.
	dial func(ctx context.Context, namespace, pod string, port int) (net.Conn, error)

	// began tells when the last look began, tunnel which way it took, and broken
	// where it ended.
	began  time.Time
	tunnel *tunnel
	broken *breakage
}

// breakage is the hop at which a look ended.
type breakage struct {
	hop, why string
	// beyond tells that the connection ended somewhere beyond the egress gateway,
	// which knows more of it.
	beyond bool
}

// checks are made in this order. The first that fails ends a look: those after it
// would fail for the same reason.
var checks = []struct {
	name string
	// do returns what it saw, or where the link breaks.
	do func(*prober, context.Context, *api.CheckLinkResult) (seen string, broken *breakage, err error)
}{
	{api.CheckRequest, (*prober).request},
	{api.CheckNoToken, (*prober).withoutToken},
	{api.CheckOtherName, (*prober).otherServerName},
	{api.CheckSynced, (*prober).synced},
	{api.CheckHolds, (*prober).holds},
}

func (p *prober) prove(ctx context.Context, patience time.Duration) (api.CheckLinkResult, error) {
	if patience > 0 {
		r, err := p.lookUntilProven(ctx, patience)
		if err != nil || r.Proven {
			return r, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	r, err := p.look(limited)
	switch {
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return r, fmt.Errorf("the proof did not end within %s: %w", lastLook, err)
	case err == nil && !r.Proven:
		p.explain(limited, &r)
	}
	return r, err
}

// lookUntilProven ends without an error when its patience is over.
func (p *prober) lookUntilProven(ctx context.Context, patience time.Duration) (r api.CheckLinkResult, err error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = kube.Poll(limited, func(ctx context.Context) (string, bool, error) {
		var err error
		r, err = p.look(ctx)
		return r.Sentence(), r.Proven, err
	})
	var stopping *kube.StoppingError
	var notReady *kube.NotReadyError
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case errors.As(err, &stopping):
		return r, err
	case errors.As(err, &notReady), errors.Is(err, context.DeadlineExceeded):
		return r, nil
	}
	return r, err
}

// look makes each check once.
func (p *prober) look(ctx context.Context) (r api.CheckLinkResult, err error) {
	p.began, p.tunnel, p.broken = time.Now(), nil, nil
	r = api.CheckLinkResult{Link: p.link.String(), Checks: []api.LinkCheck{}}
	defer func() {
		if p.tunnel != nil {
			r.EgressMode = p.tunnel.mode
		}
	}()
	for _, check := range checks {
		seen, broken, err := check.do(p, ctx, &r)
		if err == nil {
			err = ctx.Err() // a check that the end of the time cut off tells nothing of the link
		}
		if err != nil {
			return r, err
		}
		r.Checks = append(r.Checks, api.LinkCheck{Name: check.name, OK: broken == nil, Detail: seen})
		if broken != nil {
			p.broken = broken
			breaksAt(&r, broken.hop, broken.why)
			return r, nil
		}
	}
	r.Proven = true
	return r, nil
}

// breaksAt notes where the link breaks and why. The check that failed is the last one.
func breaksAt(r *api.CheckLinkResult, hop, why string) {
	r.Hop, r.Why, r.Look = hop, fleet.Brief(redact.Secrets(strings.TrimSpace(why)), maxWhy), api.HopHint(hop)
	r.Checks[len(r.Checks)-1].Detail = r.Why
}
