package proof

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// tunnel is the way to the target's API server: by the remote secret, through one of the
// pods of the egress gateway.
type tunnel struct {
	*remoteSecret
	// mode of the egress gateway, and port on its pods.
	mode fleet.EgressMode
	port int
	// pods are those that istiod's connections may come to, and pod the one that was
	// looked at last.
	pods []string
	pod  string
}

// findTunnel reads the remote secret and finds the pods of the egress gateway.
func (p *prober) findTunnel(ctx context.Context) (*breakage, error) {
	secret, broken, err := p.readRemoteSecret(ctx)
	if broken != nil || err != nil {
		return broken, err
	}
	t := &tunnel{remoteSecret: secret, port: fleet.EgressPort}
	if secret.server == fleet.EgressShared.Server(p.link.To, p.namespace) {
		t.mode = fleet.EgressShared
		if t.port, broken, err = p.sharedPort(ctx); broken != nil || err != nil {
			return broken, err
		}
	}
	pods, why, err := p.egressPods(ctx, t.mode)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return &breakage{hop: api.HopEgress, why: why}, nil
	}
	t.pods, t.pod, p.tunnel = pods, pods[0], t
	return nil, nil
}

// sharedPort reads at which port of the shared egress gateway istiod's connections for the
// target arrive.
func (p *prober) sharedPort(ctx context.Context) (int, *breakage, error) {
	name := fleet.EgressShared.Service(p.link.To)
	s, err := p.Client.CoreV1().Services(p.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, &breakage{hop: api.HopEgress, why: fmt.Sprintf("there is no Service %s/%s in the source", p.namespace, name)}, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read Service %s/%s: %w", p.namespace, name, err)
	}
	if len(s.Spec.Ports) == 0 || s.Spec.Selector["app"] != fleet.SharedEgressGateway {
		return 0, &breakage{hop: api.HopEgress, why: fmt.Sprintf("Service %s/%s does not lead to %s", p.namespace, name, fleet.SharedEgressGateway)}, nil
	}
	return s.Spec.Ports[0].TargetPort.IntValue(), nil, nil
}

// egressPods finds the ready pods of the egress gateway, or tells why there is none. A
// Service leads to no other pod, so that one which starts or is drained breaks nothing.
func (p *prober) egressPods(ctx context.Context, mode fleet.EgressMode) (pods []string, why string, err error) {
	gateway := mode.Gateway(p.link.To)
	list, err := p.Client.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + gateway})
	if err != nil {
		return nil, "", fmt.Errorf("list the pods of %s: %w", gateway, err)
	}
	why = fmt.Sprintf("%s has no pod", gateway)
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		why = fmt.Sprintf("pod %s is %s and not ready", pod.Name, pod.Status.Phase)
		if kube.PodReady(pod) {
			pods = append(pods, pod.Name)
		}
	}
	return pods, why, nil
}

// left says whether the pod that was looked at last takes no connections any more, while
// another one does.
func (p *prober) left(ctx context.Context) bool {
	pods, _, err := p.egressPods(ctx, p.tunnel.mode)
	return err == nil && len(pods) > 0 && !slices.Contains(pods, p.tunnel.pod)
}

// connect makes the inner TLS session, through port-forward to the egress gateway.
func (p *prober) connect(ctx context.Context, serverName string) (*tls.Conn, *breakage) {
	conn, err := p.dial(ctx, p.namespace, p.tunnel.pod, p.tunnel.port)
	if err != nil {
		return nil, &breakage{hop: api.HopEgress, why: err.Error()}
	}
	session := tls.Client(conn, &tls.Config{ServerName: serverName, RootCAs: p.tunnel.roots, MinVersion: tls.VersionTLS12})
	handshake, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	if err := session.HandshakeContext(handshake); err != nil {
		conn.Close()
		return nil, p.noSession(serverName, err)
	}
	return session, nil
}

// noSession tells from the error of a handshake how far it came.
func (p *prober) noSession(serverName string, err error) *breakage {
	var port *kube.PortError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &port) && port.Refused:
		return &breakage{hop: api.HopRoute, why: fmt.Sprintf("nothing listens on port %d of %s: istiod has not given it its configuration", p.tunnel.port, p.tunnel.pod)}
	case errors.As(err, &port):
		// Some nodes say this of a connection that the gateway resets, too.
		return &breakage{hop: api.HopEgress, why: fmt.Sprintf("the node does not connect to port %d of %s: %v", p.tunnel.port, p.tunnel.pod, port), beyond: true}
	case errors.As(err, &certificate):
		return &breakage{hop: api.HopAPITLS, why: fmt.Sprintf("the certificate behind the tunnel is not good for %s: %v", serverName, certificate.Err)}
	}
	return &breakage{hop: api.HopRoute, why: fmt.Sprintf("no TLS session for %s through %s: %v", serverName, p.tunnel.pod, err), beyond: true}
}

// over makes requests over a session that stands.
func over(session *tls.Conn) http.RoundTripper {
	return &http.Transport{MaxConnsPerHost: 1,
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return session, nil }}
}

// get asks the target's API server and returns the status of its answer.
func (p *prober) get(ctx context.Context, session http.RoundTripper, path, token string) (int, error) {
	code, _, err := p.read(ctx, session, path, token)
	return code, err
}

// read asks the target's API server and returns its answer.
func (p *prober) read(ctx context.Context, session http.RoundTripper, path, token string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.tunnel.serverName+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("User-Agent", "landbridge")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := session.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, body, err
}
