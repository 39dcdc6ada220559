package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// adminPort is Envoy's own, on the pod's loopback.
	adminPort = 15000
	// logWait is a little more than the 10 s after which Envoy writes its access log.
	logWait = 12 * time.Second
	// maxLog in bytes bounds what is read of a gateway's log.
	maxLog = 1 << 20
	// proxyContainer is Istio's name for Envoy's container.
	proxyContainer = "istio-proxy"
)

// explain finds out from the source's egress gateway at which hop beyond it the
// request ended. What the gateway does not say stays as it is.
func (p *prober) explain(ctx context.Context, r *api.CheckLinkResult) {
	if p.broken == nil || !p.broken.far {
		return
	}
	if strings.Contains(p.broken.why, "connection refused") {
		breaksAt(r, api.HopRoute, fmt.Sprintf("nothing listens on port %d of %s: istiod has not given it its configuration", fleet.EgressPort, p.pod))
		return
	}
	if hop, why := p.upstream(ctx); hop != "" {
		breaksAt(r, hop, why)
		return
	}
	line, err := p.accessLog(ctx)
	if err != nil {
		breaksAt(r, r.Hop, r.Why+fmt.Sprintf(" (the gateway's log cannot be read: %v)", err))
		return
	}
	if hop, why := hopOf(line); hop != "" {
		breaksAt(r, hop, why)
	}
}

// upstream asks Envoy which endpoints it has for the target.
func (p *prober) upstream(ctx context.Context) (hop, why string) {
	data, err := p.getFromPod(ctx, p.pod, adminPort, "/clusters?format=json")
	if err != nil {
		return "", ""
	}
	var all struct {
		ClusterStatuses []struct {
			Name         string            `json:"name"`
			HostStatuses []json.RawMessage `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if json.Unmarshal(data, &all) != nil {
		return "", ""
	}
	host := fleet.TunnelHost(p.in.Link.To, p.in.Namespace)
	for _, c := range all.ClusterStatuses {
		if !strings.HasSuffix(c.Name, "|"+host) {
			continue
		}
		if len(c.HostStatuses) == 0 {
			return api.HopName, "the gateway has no address for the target: the load balancer's name does not resolve in the source"
		}
		return "", ""
	}
	return api.HopRoute, "the gateway does not know " + host
}

// accessLog is what the gateway wrote of the last connection that came by
// port-forward, from the pod's own loopback; nothing where it wrote nothing.
func (p *prober) accessLog(ctx context.Context) (string, error) {
	since := metav1.NewTime(p.began)
	for end := time.Now().Add(logWait); ; {
		logs, err := p.Client.CoreV1().Pods(p.in.Namespace).GetLogs(p.pod, &corev1.PodLogOptions{
			Container: proxyContainer, SinceTime: &since}).Stream(ctx)
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(io.LimitReader(logs, maxLog))
		logs.Close()
		if err != nil {
			return "", err
		}
		if line := lastProbe(data); line != "" {
			return line, nil
		}
		if time.Now().After(end) {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// lastProbe finds the last line of an access log, in Istio's text or JSON, whose
// client was the pod's own loopback.
func lastProbe(log []byte) string {
	last := ""
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("127.0.0.1:")) && !bytes.Contains(line, []byte(strangerName)) &&
			(bytes.HasPrefix(line, []byte("[20")) || bytes.HasPrefix(line, []byte("{"))) {
			last = string(bytes.TrimSpace(line))
		}
	}
	return last
}

// said is how Envoy's words tell the hops apart: response flags and the reason
// why the transport failed. The first that fits counts.
var said = []struct {
	words *regexp.Regexp
	hop   string
	what  string
}{
	{regexp.MustCompile(`TLS_error|CERTIFICATE_VERIFY_FAILED|SSL_routines|SSL routines`), api.HopMTLS, "the gateways do not accept each other's certificates"},
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
		if m := s.words.FindString(line); m != "" {
			return s.hop, fmt.Sprintf("%s; it says: %s", s.what, line)
		}
	}
	return api.HopAuthorization, "the target's east-west gateway closed the connection after the handshake, without an answer; the source's gateway says: " + line
}
