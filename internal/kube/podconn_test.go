package kube

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// forwarding serves port-forward as an API server does: on every stream of data
// the pod answers, and on the stream of errors the node says its words.
func forwarding(t *testing.T, node string, pod func(io.ReadWriteCloser)) *Cluster {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/api/v1/namespaces/istio-system/pods/gateway-1/portforward", r.URL.Path)
		if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
			return // a WebSocket: the client tries SPDY next
		}
		streams := make(chan httpstream.Stream, 2)
		conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
			streams <- s
			return nil
		})
		for range 2 {
			s := <-streams
			require.Equal(t, "443", s.Headers().Get(corev1.PortHeader))
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				_, _ = io.WriteString(s, node)
				s.Close()
				continue
			}
			pod(s)
		}
		<-conn.CloseChan()
	}))
	t.Cleanup(srv.Close)
	c, err := connectTo(&rest.Config{Host: srv.URL})
	require.NoError(t, err)
	return c
}

func TestDialPod_CarriesBytesBothWays(t *testing.T) {
	c := forwarding(t, "", func(s io.ReadWriteCloser) {
		b := make([]byte, 4)
		_, _ = io.ReadFull(s, b)
		_, _ = s.Write(append([]byte("you said "), b...))
		s.Close()
	})
	conn, err := c.DialPod(t.Context(), "istio-system", "gateway-1", 443)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("ping"))
	require.NoError(t, err)
	got, err := io.ReadAll(conn)
	require.NoError(t, err, "the pod closed it, and the node had nothing to say")
	require.Equal(t, "you said ping", string(got))
}

// The words are containerd's and CRI-O's, as a node passes them on.
func TestDialPod_TellsARefusedPortFromANodeThatCannot(t *testing.T) {
	for said, refused := range map[string]bool{
		"error forwarding port 443 to pod 0a1b, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-1\": failed to connect to localhost:443 inside namespace \"0a1b\", IPv4: dial tcp4 127.0.0.1:443: connect: connection refused": true,
		"an error occurred forwarding 443 -> 443: error forwarding port 443 to pod 0a1b, uid : failed to find sandbox \"0a1b\" in store: not found":                                                                                                          false,
	} {
		c := forwarding(t, said+"\n", func(s io.ReadWriteCloser) { s.Close() })
		conn, err := c.DialPod(t.Context(), "istio-system", "gateway-1", 443)
		require.NoError(t, err)
		_, err = io.ReadAll(conn)
		conn.Close()
		var port *PortError
		require.ErrorAs(t, err, &port)
		require.Equal(t, PortError{Refused: refused, Said: said}, *port)
		require.EqualError(t, err, said)
	}
}

// A gateway that serves another server name resets the connection; containerd tells of it
// as it tells of a port that nothing listens on.
func TestDialPod_AConnectionThatThePodResets_IsNoPortThatCannotBeReached(t *testing.T) {
	said := "error forwarding port 443 to pod 0a1b, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-1\": " +
		"read tcp4 127.0.0.1:51204->127.0.0.1:443: read: connection reset by peer"
	c := forwarding(t, said, func(s io.ReadWriteCloser) { s.Close() })
	conn, err := c.DialPod(t.Context(), "istio-system", "gateway-1", 443)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.ReadAll(conn)
	require.EqualError(t, err, "the pod's connection broke: "+said)
	var port *PortError
	require.NotErrorAs(t, err, &port)
}

func TestDialPod_AnAPIServerThatDoesNotAnswer_EndsWithTheContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	c, err := connectTo(&rest.Config{Host: "http://" + silent.Addr().String()})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = c.DialPod(ctx, "istio-system", "gateway-1", 443)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestDialPod_TheConnectionEndsWithTheContext(t *testing.T) {
	c := forwarding(t, "", func(io.ReadWriteCloser) {})
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := c.DialPod(ctx, "istio-system", "gateway-1", 443)
	require.NoError(t, err)
	cancel()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}
