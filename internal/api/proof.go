package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// The hops of the path from a source's istiod to its target's API server, in the order
// in which a request passes them.
const (
	HopSource        = "source cluster" // it could not be read, so nothing is known of the path
	HopSecret        = "remote secret"
	HopEgress        = "egress gateway"
	HopSourcePolicy  = "source authorization" // at the egress gateway
	HopRoute         = "egress configuration"
	HopName          = "name resolution"
	HopTCP           = "TCP"
	HopMTLS          = "mTLS"
	HopAuthorization = "authorization"
	HopAPITLS        = "API TLS"
	HopToken         = "token"
	HopIstiod        = "istiod"
	HopView          = "istiod's endpoints"    // it holds others than the target has
	HopOtherSecret   = "another remote secret" // istiod reads the target by it, or may
)

// lookAt tells for each hop where to look when it is broken.
var lookAt = map[string]string{
	HopSource:        "look at the source's API server and at its worker",
	HopSecret:        "`landbridge plan` shows what is missing; `landbridge rollout` writes it again",
	HopEgress:        "look at the pods and events of the egress gateway's Deployment in the source",
	HopSourcePolicy:  "look at the AuthorizationPolicies in Istio's namespace of the source that select the egress gateway or everything; `landbridge rollout` writes the one that allows istiod's connections, which no DENY policy may overrule",
	HopRoute:         "look at the Gateway and VirtualService of the egress gateway in the source, and check that istiod accepted them (`istioctl analyze`, `istioctl proxy-status`)",
	HopName:          "look at the ServiceEntry of the egress gateway, and check that the source's DNS knows the load balancer's name",
	HopTCP:           "look at the target's east-west gateway: its pods, the port of its Service, and firewalls between the clusters",
	HopMTLS:          "look at the Secrets cacerts of both clusters, which must come from one root, and at the ServiceEntry's subjectAltNames",
	HopAuthorization: "look at the target's AuthorizationPolicies with the label landbridge.dev/link: one must allow this source's egress identity",
	HopAPITLS:        "look at spec.clusters[].apiServer.tlsServerName of the target, and at the CA in the remote secret",
	HopToken:         "look at the token Secret of this source in the target, and at the ServiceAccount, ClusterRole and ClusterRoleBinding landbridge-reader-<source>",
	HopIstiod:        "look for the target's name in the log of the source's istiod, and check that PILOT_REMOTE_CLUSTER_TIMEOUT is not 0; where its log no longer mentions remote secrets, `landbridge restart` restarts it and proves its links",
	HopView:          "`landbridge restart` restarts that istiod and proves its links: it goes on with what it read before, which Istio before 1.31 does after some changes of remote secrets; move to its newest patch",
	HopOtherSecret:   "remove the target's key from the Secret that is named, or the Secret, then restart the source's istiod (`landbridge restart`): a Secret that it has ignored is not looked at again before",
}

// CheckLinkInput names a link. Its ref is the source.
type CheckLinkInput struct {
	LinkRef
	// Patience limits how long the proof may take to succeed, in nanoseconds: istiod and
	// the gateways follow a change within seconds. 0 checks once.
	Patience time.Duration `json:"patience"`
	// Must ends the activity with an error of TypeUnproven where the link is not proven.
	Must bool `json:"must,omitempty"`
}

// LinkCheck holds what one check of a link found.
type LinkCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail tells what was seen.
	Detail string `json:"detail"`
}

// The names of the checks that CheckLink makes.
const (
	CheckSynced    = "istiod"
	CheckRequest   = "request"
	CheckNoToken   = "without token"
	CheckOtherName = "other server name"
	CheckHolds     = "endpoints"
	// CheckOtherPods is made where the egress gateway has a NetworkPolicy. A link is proven
	// whatever comes of it.
	CheckOtherPods = "other pods"
)

// OpenToOthers tells what a trial found where the network enforces no NetworkPolicy.
const OpenToOthers = "any pod gets a connection to the egress gateway, since the network of its cluster enforces no NetworkPolicies"

// CheckLinkResult holds the proof of a link, or names the hop that is broken.
type CheckLinkResult struct {
	Link   string      `json:"link"`
	Proven bool        `json:"proven"`
	Checks []LinkCheck `json:"checks"`
	// Hop names the first hop that is broken. Why tells what was seen there, and Look
	// where a person should look. All three are empty for a link that is proven.
	Hop  string `json:"hop,omitempty"`
	Why  string `json:"why,omitempty"`
	Look string `json:"look,omitempty"`
	// Connect holds the time until both TLS sessions stood, and RoundTrip that of one
	// request after it; both in nanoseconds.
	Connect   time.Duration `json:"connect,omitempty"`
	RoundTrip time.Duration `json:"roundTrip,omitempty"`
	// EgressMode of the gateway that istiod's requests go through, where that is not perLink.
	EgressMode fleet.EgressMode `json:"egressMode,omitempty"`
}

// Open says whether any pod of the source gets a connection to the egress gateway.
func (r CheckLinkResult) Open() bool {
	return slices.ContainsFunc(r.Checks, func(c LinkCheck) bool { return c.Name == CheckOtherPods && c.Detail == OpenToOthers })
}

// NotLooked returns the result for a link whose source could not be read, for the
// reason why.
func NotLooked(link fleet.Link, why string) CheckLinkResult {
	return CheckLinkResult{Link: link.String(), Checks: []LinkCheck{}, Hop: HopSource, Why: why, Look: lookAt[HopSource]}
}

// Sentence returns one line that tells what is broken and where to look.
func (r CheckLinkResult) Sentence() string {
	if r.Proven {
		return r.Link + " is proven"
	}
	return fmt.Sprintf("the path breaks at %s: %s; %s", r.Hop, r.Why, r.Look)
}

// HopHint tells a person where to look when the hop is broken.
func HopHint(hop string) string { return lookAt[hop] }
