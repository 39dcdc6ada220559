package proof

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// debugPort is where istiod tells its state to whoever asks on its own loopback.
	debugPort = 15014
	// syncedStatus is istiod's word for a remote cluster whose objects it has read.
	syncedStatus = "synced"
)

// remoteCluster is an entry of istiod's /debug/clusterz.
type remoteCluster struct {
	ID         string `json:"id"`
	SyncStatus string `json:"syncStatus"`
}

// synced asks every running istiod pod of the source for the target's state.
// "synced" is sticky: it proves that istiod has read the target once, so a live
// request goes before.
func (p *prober) synced(ctx context.Context, _ *api.CheckLinkResult) (string, *breakage, error) {
	pods, err := p.istiods(ctx)
	if err != nil {
		return "", nil, err
	}
	if len(pods) == 0 {
		return "", &breakage{hop: api.HopIstiod, why: "no istiod pod runs in the source"}, nil
	}
	for _, pod := range pods {
		clusters, err := p.clusterz(ctx, pod)
		if err != nil {
			return "", &breakage{hop: api.HopIstiod, why: fmt.Sprintf("%s does not tell which clusters it reads: %v", pod, err)}, nil
		}
		state := "not known"
		for _, c := range clusters {
			if c.ID == p.link.To {
				state = c.SyncStatus
			}
		}
		if state != syncedStatus {
			return "", &breakage{hop: api.HopIstiod, why: fmt.Sprintf("%s says of %s: %s", pod, p.link.To, state)}, nil
		}
	}
	return fmt.Sprintf("synced in %d of %d", len(pods), len(pods)), nil, nil
}

// istiods names the istiod pods that run.
func (p *prober) istiods(ctx context.Context) ([]string, error) {
	list, err := p.Client.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return nil, fmt.Errorf("list the istiod pods: %w", err)
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
	if err := json.Unmarshal(data, &clusters); err != nil {
		return nil, fmt.Errorf("its answer is not a list of clusters: %w", err)
	}
	return clusters, nil
}
