package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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

// explain asks the source's egress gateway at which hop beyond it the request
// ended. What the gateway does not tell stays as it is.
func (p *prober) explain(ctx context.Context, r *api.CheckLinkResult) {
	if !p.broken.beyond {
		return
	}
	if hop, why := p.upstream(ctx); hop != "" {
		breaksAt(r, hop, why)
		return
	}
	line, err := p.accessLog(ctx)
	if err != nil {
		breaksAt(r, r.Hop, fmt.Sprintf("%s (the gateway's log cannot be read: %v)", r.Why, err))
		return
	}
	if hop, why := hopOf(line); hop != "" {
		breaksAt(r, hop, why)
	}
}

// upstream asks Envoy which endpoints it has for the target.
func (p *prober) upstream(ctx context.Context) (hop, why string) {
	data, err := p.getFromPod(ctx, p.tunnel.pod, adminPort, "/clusters?format=json")
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
	host := fleet.TunnelHost(p.link.To, p.namespace)
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

// accessLog reads what the gateway wrote of the last connection that came by
// port-forward, from the pod's own loopback. It is empty where the gateway wrote nothing.
func (p *prober) accessLog(ctx context.Context) (string, error) {
	since := metav1.NewTime(p.began)
	for end := time.Now().Add(logWait); ; {
		log, err := p.readLog(ctx, &since)
		if err != nil {
			return "", err
		}
		if line := lastProbe(log, p.tunnel.port); line != "" {
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

func (p *prober) readLog(ctx context.Context, since *metav1.Time) ([]byte, error) {
	log, err := p.Client.CoreV1().Pods(p.namespace).GetLogs(p.tunnel.pod, &corev1.PodLogOptions{
		Container: proxyContainer, SinceTime: since}).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return io.ReadAll(io.LimitReader(log, maxLog))
}
