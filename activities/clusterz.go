package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// debugPort is where istiod tells a visitor on its own loopback of its state.
const debugPort = 15014

// syncedStatus is istiod's word for a remote cluster whose objects it has read.
const syncedStatus = "synced"

// remoteCluster is an entry of istiod's /debug/clusterz.
type remoteCluster struct {
	ID         string `json:"id"`
	SyncStatus string `json:"syncStatus"`
}

// synced asks every running istiod pod of the source for the target's state.
// "synced" is sticky: it proves that istiod has read the target once, which is
// why a live request goes before.
func (p *prober) synced(ctx context.Context, r *api.CheckLinkResult) (*breakage, error) {
	pods, err := p.istiods(ctx)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return &breakage{check: api.CheckSynced, hop: api.HopIstiod, why: "no istiod pod runs in the source"}, nil
	}
	for _, pod := range pods {
		clusters, err := p.clusterz(ctx, pod)
		if err != nil {
			return &breakage{check: api.CheckSynced, hop: api.HopIstiod, why: fmt.Sprintf("%s does not say which clusters it reads: %v", pod, err)}, nil
		}
		state := "not known"
		for _, c := range clusters {
			if c.ID == p.in.Link.To {
				state = c.SyncStatus
			}
		}
		if state != syncedStatus {
			return &breakage{check: api.CheckSynced, hop: api.HopIstiod, why: fmt.Sprintf("%s says of %s: %s", pod, p.in.Link.To, state)}, nil
		}
	}
	passed(r, api.CheckSynced, "synced in %d of %d", len(pods), len(pods))
	return nil, nil
}

// istiods are the names of the istiod pods that run.
func (p *prober) istiods(ctx context.Context) ([]string, error) {
	list, err := p.Client.CoreV1().Pods(p.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return nil, wrap(err, "list the istiod pods")
	}
	var names []string
	for _, pod := range list.Items {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			names = append(names, pod.Name)
		}
	}
	return names, nil
}

func (p *prober) clusterz(ctx context.Context, pod string) ([]remoteCluster, error) {
	data, err := p.getFromPod(ctx, pod, debugPort, "/debug/clusterz")
	if err != nil {
		return nil, err
	}
	var clusters []remoteCluster
	return clusters, json.Unmarshal(data, &clusters)
}

const (
	// podTimeout bounds a question to a pod.
	podTimeout = 15 * time.Second
	// maxAnswer in bytes bounds what a pod may answer.
	maxAnswer = 4 << 20
)

// getFromPod asks a pod by port-forward.
func (p *prober) getFromPod(ctx context.Context, pod string, port int, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return p.DialPod(ctx, p.in.Namespace, pod, port)
	}, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", resp.Status)
	}
	return data, err
}
