package listen

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddress_Mistakes_NameTheFlagAndWhatToDo(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer held.Close()
	busy := held.Addr().String()
	_, port, err := net.SplitHostPort(busy)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"no port":         {CheckAddress("--listen", "localhost"), []string{"--listen", `"localhost"`, "host:port"}},
		"a port too high": {CheckAddress("--listen", "127.0.0.1:99999"), []string{"--listen", "65535", `"99999"`}},
		"a negative port": {CheckAddress("--listen", "127.0.0.1:-1"), []string{"--listen", `"-1"`}},
		"a port by name":  {CheckAddress("--listen", "127.0.0.1:http"), []string{"--listen", `"http"`}},
		"port 0":          {CheckPort("--port", 0), []string{"--port", "from 1 to 65535", "0"}},
		"port 65536":      {CheckPort("--port", 65536), []string{"--port", "65536"}},
		"a port in use":   {CheckFree("--port", busy), []string{"--port: " + busy, "in use", port + "'", "names the process", "choose another port"}},
		"somebody else's": {CheckFree("--listen", "192.0.2.1:0"), []string{"--listen", "192.0.2.1:0", "this machine does not have", "ip address"}},
	} {
		require.Error(t, c.err, name)
		for _, w := range c.want {
			require.Contains(t, c.err.Error(), w, name)
		}
	}
}

func TestAddress_OfAFreePort_CanBeTakenAfterItWasChecked(t *testing.T) {
	l, err := TCP("--listen", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	require.NoError(t, CheckAddress("--listen", address))
	require.NoError(t, CheckFree("--listen", address))
	require.NoError(t, CheckFree("--listen", address), "the check gives it back")
}

// A pod may have either family, and its probes come to that.
func TestAddress_WithoutAHost_IsThatOfBothFamilies(t *testing.T) {
	require.NoError(t, CheckAddress("--listen", ":0"))
	l, err := TCP("--listen", ":0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "::1"} {
		if own, err := net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			t.Logf("this machine has no %s", host)
			continue
		} else {
			own.Close()
		}
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		require.NoError(t, err)
		conn.Close()
	}
}
