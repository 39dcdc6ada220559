package proof

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/landbridge/landbridge/internal/api"
)

const (
	// unservedName is a server name that no egress gateway serves.
	unservedName = "landbridge-probe.invalid"
	// listOne is a path that only who has the reader's token may read.
	listOne = "/api/v1/namespaces?limit=1"
	// requestsTimeout bounds one check with all of its connection and requests.
	requestsTimeout = 2 * podTimeout
)

// request goes through every pod of the egress gateway, since istiod's connections may
// come to any of them. A pod that is drained meanwhile proves and breaks nothing.
func (p *prober) request(ctx context.Context, r *api.CheckLinkResult) (string, *breakage, error) {
	if broken, err := p.findTunnel(ctx); broken != nil || err != nil {
		return "", broken, err
	}
	var through []string
	var last *breakage
	for _, pod := range p.tunnel.pods {
		p.tunnel.pod = pod
		broken := p.requestThroughPod(ctx, r)
		if broken == nil {
			through = append(through, pod)
			continue
		}
		if last = broken; !p.left(ctx) {
			return "", broken, nil
		}
	}
	if len(through) == 0 {
		return "", last, nil
	}
	p.tunnel.pod = through[0] // the other checks go through one that works
	seen := fmt.Sprintf("connected in %s, a request takes %s", ms(r.Connect), ms(r.RoundTrip))
	if len(through) > 1 {
		seen += fmt.Sprintf(", through each of %d pods of the egress gateway", len(through))
	}
	return seen, nil, nil
}

// requestThroughPod asks for /readyz and for a list of one kind, over one connection.
func (p *prober) requestThroughPod(ctx context.Context, r *api.CheckLinkResult) *breakage {
	ctx, cancel := context.WithTimeout(ctx, requestsTimeout)
	defer cancel()
	began := time.Now()
	session, broken := p.connect(ctx, p.tunnel.serverName)
	if broken != nil {
		return broken
	}
	defer session.Close()
	r.Connect = time.Since(began)
	requests := over(session)
	for _, path := range []string{"/readyz", listOne} {
		began = time.Now()
		code, err := p.get(ctx, requests, path, p.tunnel.token)
		r.RoundTrip = time.Since(began)
		switch {
		case err != nil:
			return &breakage{hop: api.HopAuthorization, why: fmt.Sprintf("the connection broke at GET %s: %v", path, err), beyond: true}
		case code == http.StatusUnauthorized:
			return &breakage{hop: api.HopToken, why: "the target's API server does not accept the token (401)"}
		case code == http.StatusForbidden:
			return &breakage{hop: api.HopToken, why: fmt.Sprintf("the token may not read %s (403)", path)}
		case code != http.StatusOK:
			return &breakage{hop: api.HopAPITLS, why: fmt.Sprintf("the target's API server answers GET %s with %d", path, code)}
		}
	}
	return nil
}

// withoutToken must be refused. A server that lets the anonymous in says 403,
// another one 401.
func (p *prober) withoutToken(ctx context.Context, _ *api.CheckLinkResult) (string, *breakage, error) {
	ctx, cancel := context.WithTimeout(ctx, requestsTimeout)
	defer cancel()
	session, broken := p.connect(ctx, p.tunnel.serverName)
	if broken != nil {
		return "", broken, nil
	}
	defer session.Close()
	code, err := p.get(ctx, over(session), listOne, "")
	if err != nil {
		return "", &breakage{hop: api.HopAuthorization, why: fmt.Sprintf("the connection broke at GET %s: %v", listOne, err), beyond: true}, nil
	}
	if code != http.StatusUnauthorized && code != http.StatusForbidden {
		return "", &breakage{hop: api.HopToken, why: fmt.Sprintf("a request without a token is answered with %d: everybody may read", code)}, nil
	}
	return fmt.Sprint(code), nil, nil
}

// otherServerName must get no connection: the egress gateway serves one name.
func (p *prober) otherServerName(ctx context.Context, _ *api.CheckLinkResult) (string, *breakage, error) {
	ctx, cancel := context.WithTimeout(ctx, requestsTimeout)
	defer cancel()
	session, broken := p.connect(ctx, unservedName)
	switch {
	case broken == nil:
		session.Close()
		return "", &breakage{hop: api.HopRoute, why: "a request for another server name gets through"}, nil
	case broken.hop == api.HopAPITLS:
		return "", &breakage{hop: api.HopRoute, why: "a request for another server name reaches a server"}, nil
	case !broken.beyond: // the gateway itself was not reached
		return "", broken, nil
	}
	return "no connection", nil, nil
}

func ms(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
