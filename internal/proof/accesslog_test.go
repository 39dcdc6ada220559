package proof

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// inText and inJSON write a line as Istio's two formats do, with what Envoy put into
// RESPONSE_FLAGS, CONNECTION_TERMINATION_DETAILS and UPSTREAM_TRANSPORT_FAILURE_REASON.
func inText(flags, ended, transport string) string {
	return fmt.Sprintf(`[2026-11-24T06:28:51.601Z] "- - -" 0 %s - %s "%s"`, flags, ended, transport) + lineTail
}

func inJSON(flags, ended, transport string) string {
	null := func(s string) string {
		if s == "-" {
			return "null"
		}
		return `"` + strings.ReplaceAll(s, "_", " ") + `"`
	}
	return fmt.Sprintf(`{"bytes_sent":0,"connection_termination_details":%s,"downstream_remote_address":"127.0.0.1:51432","requested_server_name":"uf.nr.uh.example.com","response_flags":%q,"upstream_transport_failure_reason":%s}`,
		null(ended), flags, null(transport))
}

// Each line that Envoy writes is blamed on whom it belongs to, and says whose log it is.
func TestHopOf_EachOfEnvoysWords_NamesTheHopAndWhoseLogItIs(t *testing.T) {
	for _, c := range []struct{ flags, ended, transport, hop, what string }{
		{"-", "rbac_access_denied_matched_policy[none]", "-", api.HopSourcePolicy, "no AuthorizationPolicy of the source allows"},
		{"-", "rbac_access_denied_matched_policy[ns[mesh-wide]-policy[no-admin]-rule[0]]", "-", api.HopSourcePolicy, "AuthorizationPolicy mesh-wide/no-admin of the source denies"},
		{"UAEX", "-", "-", api.HopSourcePolicy, "action CUSTOM"},
		{"UF,URX", "-", "TLS_error:_Secret_is_not_supplied_by_SDS", api.HopMTLS, "has no certificate"},
		{"UF,URX", "-", "TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end", api.HopTCP, "does not speak TLS"},
		{"UF,URX", "-", "TLS_error:|268436496:SSL_routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN:TLS_error_end", api.HopMTLS, "the target's east-west gateway does not accept"},
		{"UF,URX", "-", "TLS_error:|268436504:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end", api.HopMTLS, "the target's east-west gateway does not accept"},
		{"UF,URX", "-", "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher", api.HopMTLS, "the source's egress gateway does not accept"},
		{"UF,URX", "-", "TLS_error:|268436501:SSL_routines:OPENSSL_internal:NO_SHARED_CIPHER:TLS_error_end", api.HopMTLS, "no mutual TLS"},
		{"NR", "filter_chain_not_found", "-", api.HopRoute, "no route for the server name"},
		{"NR", "-", "-", api.HopRoute, "no route for the server name"},
		{"NC", "-", "-", api.HopRoute, "does not know the target's host"},
		{"UO", "-", "-", api.HopRoute, "limits the connections"},
		{"UH", "-", "-", api.HopName, "no address"},
		{"DF", "-", "-", api.HopName, "cannot resolve"},
		{"UF,URX", "-", "delayed_connect_error:_Connection_refused", api.HopTCP, "connection refused"},
		{"UF,URX", "-", "delayed_connect_error:_111", api.HopTCP, "connection refused"},
		{"UF,URX", "-", "connection_timeout", api.HopTCP, "timeout"},
		{"UF,URX", "-", "immediate_connect_error:_Network_is_unreachable", api.HopTCP, "cannot be reached"},
		{"UF,URX", "-", "delayed_connect_error:_No_route_to_host", api.HopTCP, "cannot be reached"},
		{"UF,URX", "-", "-", api.HopTCP, "ends them before TLS"},
		{"URX", "-", "-", api.HopTCP, "cannot be reached"},
		{"-", "-", "-", api.HopAuthorization, "the target's east-west gateway closed the connection after the handshake"},
		{"UC", "-", "-", api.HopAuthorization, "after the handshake"},
	} {
		for _, line := range []string{inText(c.flags, c.ended, c.transport), inJSON(c.flags, c.ended, c.transport)} {
			hop, why := hopOf(line)
			require.Equal(t, c.hop, hop, line)
			require.Contains(t, why, c.what)
			require.Contains(t, why, "; the log of the source's egress gateway has: "+line)
		}
	}
	hop, why := hopOf("")
	require.Empty(t, hop+why)
}

func TestLastProbe_IsTheLastLineFromTheLoopbackThatAskedForTheTarget(t *testing.T) {
	log := "2026-11-24T06:28:50Z\tinfo\tsomething at 127.0.0.1:15000\n" +
		"[2026-11-24T06:28:51.601Z] \"- - -\" 0 - first 127.0.0.1:443 127.0.0.1:1 api -\n" +
		"[2026-11-24T06:28:52.601Z] \"- - -\" 0 - istiod 10.200.0.9:443 10.200.0.4:2 api -\n" +
		"{\"second\":\"127.0.0.1:3\"}\n" +
		"[2026-11-24T06:28:53.601Z] \"- - -\" 0 NR 127.0.0.1:443 127.0.0.1:4 landbridge-probe.invalid -\n"
	require.Equal(t, `{"second":"127.0.0.1:3"}`, lastProbe([]byte(log), fleet.EgressPort))
	// A pod with IPv6 only has another loopback.
	log = "[2026-11-30T01:17:26.521Z] \"- - -\" 0 - first [::1]:443 [::1]:1 api -\n" +
		"[2026-11-30T01:17:27.521Z] \"- - -\" 0 - istiod [2001:db8::ac8:9]:443 [2001:db8::ac8:4]:2 api -\n" +
		"[2026-11-30T01:17:28.521Z] \"- - -\" 0 NR [::1]:443 [::1]:4 landbridge-probe.invalid -\n"
	require.Contains(t, lastProbe([]byte(log), fleet.EgressPort), "first")
	require.Empty(t, lastProbe(nil, fleet.EgressPort))
}
