package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFreePort_IsNoneThatAnOutgoingConnectionGets(t *testing.T) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	require.NoError(t, err)
	var first, last int
	_, err = fmt.Sscan(string(data), &first, &last)
	require.NoError(t, err)
	if first <= lastPort {
		t.Skipf("this machine gives outgoing connections ports from %d on", first)
	}
	seen := map[int]bool{}
	for range 50 {
		port, err := FreePort()
		require.NoError(t, err)
		require.Less(t, port, first)
		require.False(t, seen[port], "port %d is in use by now", port)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err)
		defer l.Close()
		seen[port] = true
	}
}

// Labs come up beside each other, each in a process of its own, and nothing listens on a port
// at the moment when it is given away.
func TestFreePort_GivenAwayOnce_IsGivenToNobodyElse(t *testing.T) {
	port, err := FreePort()
	require.NoError(t, err)
	require.True(t, free(port))
	dir, err := portsDir()
	require.NoError(t, err)
	other := exec.Command("flock", "--nonblock", filepath.Join(dir, strconv.Itoa(port)), "true")
	if other.Err != nil {
		t.Skip("this machine has no flock: ", other.Err)
	}
	require.Error(t, other.Run(), "another process can lock it")
	seen := map[int]bool{}
	for range 500 {
		p, err := FreePort()
		require.NoError(t, err)
		require.False(t, seen[p] || p == port)
		seen[p] = true
	}
}
