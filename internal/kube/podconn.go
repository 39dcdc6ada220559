package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// DialPod opens a connection to a port on a pod's own loopback, as `kubectl
// port-forward` does, without listening anywhere. It works wherever the API
// server is reached. The connection ends with the context. What the node says of a
// port that it cannot connect to comes with the first Read, as a *PortError.
func (c *Cluster) DialPod(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	url := c.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.Config)
	if err != nil {
		return nil, err
	}
	overSPDY := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	overWebSocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, c.Config)
	if err != nil {
		return nil, err
	}
	refused := func(err error) bool { return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) }
	conn, err := dialUntil(ctx, portforward.NewFallbackDialerForStreaming(overWebSocket, overSPDY, refused))
	if err != nil {
		return nil, fmt.Errorf("port-forward to pod %s/%s: %w", namespace, pod, err)
	}
	p, err := newPodConn(conn, port)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("port-forward to pod %s/%s, port %d: %w", namespace, pod, port, err)
	}
	p.stop = context.AfterFunc(ctx, func() { conn.Close() })
	return p, nil
}

// dialUntil dials no longer than the context: client-go's dialers take none. A
// connection that comes later is closed.
func dialUntil(ctx context.Context, dialer httpstream.Dialer) (httpstream.Connection, error) {
	type dialled struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		return d.conn, d.err
	case <-ctx.Done():
		go func() {
			if d := <-done; d.err == nil {
				d.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// PortError says why a node did not connect to a port of one of its pods.
type PortError struct {
	// Refused tells that nothing listens on the port. It is read from the node's
	// words, since a node sends no more than these.
	Refused bool
	// Said quotes the node.
	Said string
}

func (e *PortError) Error() string { return e.Said }

// broken matches how Go's net package tells of a connection that was made, with both of
// its ends, and then broke: the node hands that on, for example when a gateway resets a
// connection whose server name it does not serve.
var broken = regexp.MustCompile(`\b(read|write|readfrom|writeto|splice) tcp[46]? \S+->\S+: `)

// problemOf makes an error of what a node said: a *PortError where it could not connect,
// another one where the pod's connection broke later.
func problemOf(said []byte) error {
	text := strings.TrimSpace(string(said))
	if broken.MatchString(text) {
		return fmt.Errorf("the pod's connection broke: %s", text)
	}
	return &PortError{Refused: strings.Contains(text, syscall.ECONNREFUSED.Error()), Said: text}
}

// podConn joins the two streams of a forwarded connection: that of the data, and that
// on which the node tells what went wrong.
type podConn struct {
	httpstream.Stream
	conn    httpstream.Connection
	problem chan error
	stop    func() bool
}

func newPodConn(conn httpstream.Connection, port int) (*podConn, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	problems, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	problems.Close() // nothing is sent on it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	p := &podConn{Stream: data, conn: conn, problem: make(chan error, 1)}
	go func() {
		if said, _ := io.ReadAll(problems); len(said) > 0 {
			p.problem <- problemOf(said)
		}
		close(p.problem)
	}()
	return p, nil
}

// problemWait gives the node time to tell what went wrong after it closed the data:
// both come at about the same time.
const problemWait = 200 * time.Millisecond

// Read tells a connection that the node could not make from one that the pod
// closed.
func (p *podConn) Read(b []byte) (int, error) {
	n, err := p.Stream.Read(b)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	select {
	case problem := <-p.problem:
		if problem != nil {
			return 0, problem
		}
	case <-time.After(problemWait):
	}
	return 0, err
}

func (p *podConn) Close() error {
	p.stop()
	return p.conn.Close()
}

// SetDeadline does nothing, as its two siblings: a stream has no deadlines; the
// context that it was dialled with ends it.
func (*podConn) SetDeadline(time.Time) error      { return nil }
func (*podConn) SetReadDeadline(time.Time) error  { return nil }
func (*podConn) SetWriteDeadline(time.Time) error { return nil }
func (*podConn) LocalAddr() net.Addr              { return podAddr{} }
func (*podConn) RemoteAddr() net.Addr             { return podAddr{} }

type podAddr struct{}

func (podAddr) Network() string { return "port-forward" }
func (podAddr) String() string  { return "pod" }
