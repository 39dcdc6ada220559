package proof

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// fromLoopback finds a client that was the pod's own loopback: ::1 where the pod has IPv6 only.
var fromLoopback = regexp.MustCompile(`(127\.0\.0\.1|\[::1\]):[0-9]`)

// lastProbe finds the last line of an access log, in Istio's text or JSON, whose
// client was the pod's own loopback and asked for the target. In the log of a gateway that
// several links share, it came to the port of this one.
func lastProbe(log []byte, port int) string {
	last, came := "", regexp.MustCompile(fmt.Sprintf(`:%d\b`, port))
	for line := range bytes.Lines(log) {
		if fromLoopback.Match(line) && (port == fleet.EgressPort || came.Match(line)) && !bytes.Contains(line, []byte(unservedName)) &&
			(bytes.HasPrefix(line, []byte("[20")) || bytes.HasPrefix(line, []byte("{"))) {
			last = string(bytes.TrimSpace(line))
		}
	}
	return last
}

// said tells the hops apart by Envoy's words in the log of the source's egress
// gateway: its response flags, and why the connection or its transport failed. The
// first that fits counts, so what names a cause stands before what names a symptom.
var said = []struct {
	words *regexp.Regexp
	hop   string
	what  string
}{
	{words(`rbac_access_denied_matched_policy\[none\]`), api.HopSourcePolicy, "no AuthorizationPolicy of the source allows istiod's connection at its own egress gateway, and one denies what none allows"},
	{words(`rbac_access_denied`), api.HopSourcePolicy, "an AuthorizationPolicy of the source denies istiod's connection at its own egress gateway"},
	{responseFlag("UAEX"), api.HopSourcePolicy, "an AuthorizationPolicy of the source with the action CUSTOM refuses istiod's connection at its own egress gateway"},

	{words(`not_supplied_by_SDS`), api.HopMTLS, "the source's egress gateway has no certificate: its istiod has not issued one"},
	{words(`WRONG_VERSION_NUMBER|HTTP_REQUEST`), api.HopTCP, "what answers at the target's address does not speak TLS: it is not the east-west gateway's port of the API"},
	{words(`ALERT`), api.HopMTLS, "the target's east-west gateway does not accept the certificate of the source's egress gateway"},
	{words(`CERTIFICATE_VERIFY_FAILED|verify_cert`), api.HopMTLS, "the source's egress gateway does not accept the certificate at the target's address: another root issued it, or for another identity"},
	{words(`TLS_error|SSL_routines`), api.HopMTLS, "no mutual TLS between the gateways"},

	{words(`filter_chain_not_found|route_not_found`), api.HopRoute, "the source's egress gateway has no route for the server name"},
	{responseFlag("NR"), api.HopRoute, "the source's egress gateway has no route for the server name"},
	{words(`cluster_not_found`), api.HopRoute, "the source's egress gateway has a route, but does not know the target's host"},
	{responseFlag("NC"), api.HopRoute, "the source's egress gateway has a route, but does not know the target's host"},
	{responseFlag("UO"), api.HopRoute, "a DestinationRule of the source limits the connections to the target"},
	{words(`no_healthy_upstream`), api.HopName, "the source's egress gateway has no address for the target that works"},
	{responseFlag("UH"), api.HopName, "the source's egress gateway has no address for the target that works"},
	{responseFlag("DF"), api.HopName, "the source's egress gateway cannot resolve the target's name"},

	{words(`Connection_refused|error:_111`), api.HopTCP, "nothing listens at the address of the target's east-west gateway (connection refused)"},
	{words(`connection_timeout|timed_out|error:_110`), api.HopTCP, "the address of the target's east-west gateway does not answer (timeout)"},
	{words(`No_route_to_host|Network_is_unreachable|(delayed|immediate)_connect_error`), api.HopTCP, "the target's east-west gateway cannot be reached"},
	// The connection stood and ended before TLS did, without a word.
	{responseFlag("UF"), api.HopTCP, "the target's address takes connections and ends them before TLS begins: its east-west gateway serves no such name, or a load balancer has nothing behind it"},
	{responseFlag("URX"), api.HopTCP, "the target's east-west gateway cannot be reached"},
}

// words finds text in a line, which has underscores for spaces in some versions.
func words(pattern string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(pattern, "_", "[_ ]"))
}

// responseFlag finds one of Envoy's response flags, which stand in a list.
func responseFlag(name string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s",])` + name + `([\s",]|$)`)
}

// deniedBy finds the policy that denied, as istiod calls it in Envoy.
var deniedBy = regexp.MustCompile(`ns\[([^\]]+)\]-policy\[([^\]]+)\]`)

// hopOf reads a line of the access log of a connection that was broken. One that
// reached the other gateway inside mutual TLS and ended there was not allowed.
func hopOf(line string) (hop, why string) {
	if line == "" {
		return "", ""
	}
	const log = "; the log of the source's egress gateway has: "
	for _, s := range said {
		if !s.words.MatchString(line) {
			continue
		}
		what := s.what
		if by := deniedBy.FindStringSubmatch(line); by != nil && s.hop == api.HopSourcePolicy {
			what = fmt.Sprintf("AuthorizationPolicy %s/%s of the source denies istiod's connection at its own egress gateway", by[1], by[2])
		}
		return s.hop, what + log + line
	}
	return api.HopAuthorization, "the target's east-west gateway closed the connection after the handshake, without an answer" + log + line
}
