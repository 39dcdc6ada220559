package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// The hops of the way from a source's istiod to its target's API server, in the
// order in which a request passes them.
const (
	HopSource        = "source cluster" // it could not be looked at
	HopSecret        = "remote secret"
	HopEgress        = "egress gateway"
	HopRoute         = "egress configuration"
	HopName          = "name resolution"
	HopTCP           = "TCP"
	HopMTLS          = "mTLS"
	HopAuthorization = "authorization"
	HopAPITLS        = "API TLS"
	HopToken         = "token"
	HopIstiod        = "istiod"
)

// lookAt says for each hop what to look at when it is broken.
var lookAt = map[string]string{
	HopSource:        "look at the source's API server and at its worker",
	HopSecret:        "`landbridge plan` shows what is missing; `landbridge rollout` writes it again",
	HopEgress:        "look at the pods and events of the egress gateway's Deployment in the source",
	HopRoute:         "look at the Gateway and VirtualService of the egress gateway in the source, and whether istiod accepted them (`istioctl analyze`, `istioctl proxy-status`)",
	HopName:          "look at the ServiceEntry of the egress gateway, and whether the source's DNS knows the load balancer's name",
	HopTCP:           "look at the target's east-west gateway: its pods, the port of its Service, and firewalls between the clusters",
	HopMTLS:          "look at the cacerts of both clusters: they must come from one root; and at the ServiceEntry's subjectAltNames",
	HopAuthorization: "look at the target's AuthorizationPolicies with the label landbridge.dev/link: one must allow this source's egress identity",
	HopAPITLS:        "look at spec.clusters[].apiServer.tlsServerName of the target, and at the CA in the remote secret",
	HopToken:         "look at the token Secret of this source in the target, and at istio-reader-service-account and its ClusterRoleBinding",
	HopIstiod:        "look at the source istiod's log for the target's name, and that PILOT_REMOTE_CLUSTER_TIMEOUT is not 0; where istiod no longer says that it processes remote secrets, restart it",
}

// CheckLinkInput names a link. Its ref is the source.
type CheckLinkInput struct {
	LinkRef
	// Patience is how long the proof may take to succeed: istiod and the gateways
	// follow a change within seconds. 0 looks once.
	Patience time.Duration `json:"patience"`
	// Must makes a link that is not proven an *UnprovenError.
	Must bool `json:"must,omitempty"`
}

// LinkCheck is one thing that was looked at.
type LinkCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says what was seen.
	Detail string `json:"detail"`
}

// The names of what CheckLink looks at.
const (
	CheckSynced    = "istiod"
	CheckRequest   = "request"
	CheckNoToken   = "without token"
	CheckOtherName = "other server name"
)

// CheckLinkResult is the proof of a link, or which hop of it is broken.
type CheckLinkResult struct {
	Link   string      `json:"link"`
	Proven bool        `json:"proven"`
	Checks []LinkCheck `json:"checks"`
	// Hop is the first that is broken, Why what was seen there and Look what to
	// look at. All are empty in a link that is proven.
	Hop  string `json:"hop,omitempty"`
	Why  string `json:"why,omitempty"`
	Look string `json:"look,omitempty"`
	// Connect is how long it took until both TLS sessions stood, RoundTrip how long
	// one request took after that.
	Connect   time.Duration `json:"connect,omitempty"`
	RoundTrip time.Duration `json:"roundTrip,omitempty"`
}

// NotLooked is of a link whose source could not be looked at.
func NotLooked(link fleet.Link, why string) CheckLinkResult {
	return CheckLinkResult{Link: link.String(), Checks: []LinkCheck{}, Hop: HopSource, Why: why, Look: lookAt[HopSource]}
}

// Sentence says in one line what is broken and what to look at.
func (r CheckLinkResult) Sentence() string {
	if r.Proven {
		return r.Link + " is proven"
	}
	return fmt.Sprintf("the way breaks at %s: %s; %s", r.Hop, r.Why, r.Look)
}

// UnprovenError is a link that is in place and does not carry requests.
type UnprovenError struct{ Reason string }

func (e *UnprovenError) Error() string { return e.Reason }

// CheckLink proves a link, and changes nothing: every running istiod pod of the
// source lists the target as synced; a live request goes through the egress
// gateway with the remote secret's own CA, name and token; the same request
// without the token is refused, and with another server name gets no
// connection. Where the link is not proven the result names the hop; the error
// is then an *UnprovenError if the input says that it must be.
func (a *Activities) CheckLink(ctx context.Context, in CheckLinkInput) (CheckLinkResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return CheckLinkResult{}, err
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
			return CheckLinkResult{}, err
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
	in CheckLinkInput
	// began is when the last look began, pod which egress pod it went through, and
	// broken where it ended.
	began  time.Time
	pod    string
	broken *breakage
}

// look does each check once, and stops at the first that fails: what comes
// after it would only say the same.
func (p *prober) look(ctx context.Context) (CheckLinkResult, error) {
	p.began, p.pod = time.Now(), ""
	r := CheckLinkResult{Link: p.in.Link.String(), Checks: []LinkCheck{}}
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
		r.Checks = append(r.Checks, LinkCheck{Name: broken.check})
		r.breaksAt(broken.hop, broken.why)
		return r, nil
	}
	r.Proven = true
	return r, nil
}

// breaksAt says where and why. The check that failed is the last one.
func (r *CheckLinkResult) breaksAt(hop, why string) {
	r.Hop, r.Why, r.Look = hop, redact(strings.TrimSpace(why)), lookAt[hop]
	r.Checks[len(r.Checks)-1].Detail = r.Why
}

// breakage is the hop at which a look ended.
type breakage struct {
	check, hop, why string
	// far says that the source's gateway knows more of it.
	far bool
}

func (r *CheckLinkResult) passed(check, format string, args ...any) {
	r.Checks = append(r.Checks, LinkCheck{check, true, fmt.Sprintf(format, args...)})
}

// egress is the release of the source's gateway, and its pods' app label.
func (p *prober) egress() string { return fleet.EgressGateway(p.in.Link.To) }
