package proof

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/landbridge/landbridge/internal/api"
)

// lastProbe finds the last line of an access log, in Istio's text or JSON, whose
// client was the pod's own loopback and asked for the target.
func lastProbe(log []byte) string {
	last := ""
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("127.0.0.1:")) && !bytes.Contains(line, []byte(unservedName)) &&
			(bytes.HasPrefix(line, []byte("[20")) || bytes.HasPrefix(line, []byte("{"))) {
			last = string(bytes.TrimSpace(line))
		}
	}
	return last
}

// said tells the hops apart by Envoy's words: its response flags and the reason
// why the transport failed. The first that fits counts.
var said = []struct {
	words *regexp.Regexp
	hop   string
	what  string
}{
	{regexp.MustCompile(`TLS_error|CERTIFICATE_VERIFY_FAILED|SSL_routines|SSL routines`), api.HopMTLS, "the gateways do not accept each other's certificates"},
	{regexp.MustCompile(`rbac_access_denied`), api.HopRoute, "an AuthorizationPolicy of the source denies the connection at its egress gateway"},
	{regexp.MustCompile(`\bNR\b|filter_chain_not_found|route_not_found`), api.HopRoute, "the gateway has no route for the server name"},
	{regexp.MustCompile(`\bUH\b|no_healthy_upstream`), api.HopName, "the gateway has no address for the target"},
	{regexp.MustCompile(`Connection_refused|connection_timeout|No_route_to_host|Network_is_unreachable|delayed_connect_error|immediate_connect_error|\bUF\b|\bURX\b`), api.HopTCP, "the target's east-west gateway cannot be reached"},
}

// hopOf reads a line of the access log of a connection that was broken. One that
// reached the other gateway inside mutual TLS and ended there was not allowed.
func hopOf(line string) (hop, why string) {
	if line == "" {
		return "", ""
	}
	for _, s := range said {
		if s.words.MatchString(line) {
			return s.hop, fmt.Sprintf("%s; its log says: %s", s.what, line)
		}
	}
	return api.HopAuthorization, "the target's east-west gateway closed the connection after the handshake, without an answer; the source's egress gateway says: " + line
}
