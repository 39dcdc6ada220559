package api

import (
	"fmt"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
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

// HopHint tells a person what to look at when the hop is broken.
func HopHint(hop string) string { return lookAt[hop] }
