package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// The lines are Envoy's own, from real gateways that were broken in each way.
func TestLegOf_ReadsTheGatewaysWords(t *testing.T) {
	tail := ` 0 0 1 - "-" "-" "-" "-" "203.0.113.30:16443" outbound|16443||kube-apiserver-west.istio-system.svc.cluster.local - 127.0.0.1:443 127.0.0.1:51432 kubernetes.default.svc -`
	for hop, line := range map[string]string{
		api.HopTCP:           `[2026-11-24T06:28:51.601Z] "- - -" 0 UF,URX - - "delayed_connect_error:_Network_is_unreachable"` + tail,
		api.HopMTLS:          `[2026-11-24T06:28:51.561Z] "- - -" 0 UF,URX - - "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher"` + tail,
		api.HopAuthorization: `[2026-11-24T06:28:51.601Z] "- - -" 0 - - - "-" 1514 0 1006 - "-" "-"` + tail,
		api.HopRoute:         `[2026-11-24T06:28:51.601Z] "- - -" 0 NR filter_chain_not_found - "-"` + tail,
		api.HopName:          `[2026-11-24T06:28:51.601Z] "- - -" 0 UH - - "-"` + tail,
		"":                   "",
	} {
		got, why := hopOf(line)
		require.Equal(t, hop, got, why)
		require.Contains(t, why, line, "what the gateway said is passed on")
	}
}

func TestLastProbe_IsTheLastLineFromTheLoopbackAndNotTheStrangers(t *testing.T) {
	log := "2026-11-24T06:28:50Z\tinfo\tsomething at 127.0.0.1:15000\n" +
		"[2026-11-24T06:28:51.601Z] \"- - -\" 0 - first 127.0.0.1:443 127.0.0.1:1 api -\n" +
		"[2026-11-24T06:28:52.601Z] \"- - -\" 0 - istiod 10.200.0.9:443 10.200.0.4:2 api -\n" +
		"{\"second\":\"127.0.0.1:3\"}\n" +
		"[2026-11-24T06:28:53.601Z] \"- - -\" 0 NR 127.0.0.1:443 127.0.0.1:4 landbridge-probe.invalid -\n"
	require.Equal(t, `{"second":"127.0.0.1:3"}`, lastProbe([]byte(log)))
	require.Empty(t, lastProbe(nil))
}
