package proof

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

func TestHopOf_ReadsTheGatewaysWords(t *testing.T) {
	for line, hop := range map[string]string{
		lineTCP: api.HopTCP, lineMTLS: api.HopMTLS, lineDenied: api.HopAuthorization, lineNoRoute: api.HopRoute,
		lineNoHost: api.HopName, lineNotMine: api.HopRoute, "": "",
	} {
		got, why := hopOf(line)
		require.Equal(t, hop, got, why)
		require.Contains(t, why, line, "what the gateway said is passed on")
	}
}

func TestLastProbe_IsTheLastLineFromTheLoopbackThatAskedForTheTarget(t *testing.T) {
	log := "2026-11-24T06:28:50Z\tinfo\tsomething at 127.0.0.1:15000\n" +
		"[2026-11-24T06:28:51.601Z] \"- - -\" 0 - first 127.0.0.1:443 127.0.0.1:1 api -\n" +
		"[2026-11-24T06:28:52.601Z] \"- - -\" 0 - istiod 10.200.0.9:443 10.200.0.4:2 api -\n" +
		"{\"second\":\"127.0.0.1:3\"}\n" +
		"[2026-11-24T06:28:53.601Z] \"- - -\" 0 NR 127.0.0.1:443 127.0.0.1:4 landbridge-probe.invalid -\n"
	require.Equal(t, `{"second":"127.0.0.1:3"}`, lastProbe([]byte(log)))
	require.Empty(t, lastProbe(nil))
}
