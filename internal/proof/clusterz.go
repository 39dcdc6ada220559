package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

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

// remoteCluster describes a cluster as istiod's /debug/clusterz lists it. SecretName
// has the namespace before it, and is empty for istiod's own cluster.
type remoteCluster struct {
	ID         string `json:"id"`
	SecretName string `json:"secretName"`
	SyncStatus string `json:"syncStatus"`
}

// synced asks every running istiod pod of the source for the target's state, and
// through which Secret it reads it: what another Secret says of the target may lead
// to any API server. "synced" is sticky: it proves that istiod has read the target
// once, so a live request goes before.
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
		if broken := p.readsTarget(pod, clusters); broken != nil {
			return "", broken, nil
		}
	}
	if broken, err := p.rival(ctx); broken != nil || err != nil {
		return "", broken, err
	}
	return fmt.Sprintf("synced in %d of %d", len(pods), len(pods)), nil, nil
}

// readsTarget tells where the link breaks if an istiod does not read the target, or
// reads it by something else than the link's remote secret.
func (p *prober) readsTarget(pod string, clusters []remoteCluster) *breakage {
	at := slices.IndexFunc(clusters, func(c remoteCluster) bool { return c.ID == p.id })
	if at < 0 {
		return &breakage{hop: api.HopIstiod, why: fmt.Sprintf("%s says of %s: not known", pod, p.id)}
	}
	ours := p.namespace + "/" + fleet.RemoteSecret(p.link.To)
	switch is := clusters[at]; {
	case is.SecretName == "":
		return &breakage{hop: api.HopOtherSecret, why: fmt.Sprintf("%s calls its own cluster %s (CLUSTER_ID), and ignores every Secret that names it so, %s too", pod, p.id, ours)}
	case is.SecretName != ours:
		return &breakage{hop: api.HopOtherSecret, why: fmt.Sprintf("%s reads %s through Secret %s, not through %s", pod, p.id, is.SecretName, ours)}
	case is.SyncStatus != syncedStatus:
		return &breakage{hop: api.HopIstiod, why: fmt.Sprintf("%s says of %s: %s", pod, p.id, is.SyncStatus)}
	}
	return nil
}

// rival finds another Secret that names the target. istiod takes the one that it sees
// first, and sees them in another order after its next start.
func (p *prober) rival(ctx context.Context) (*breakage, error) {
	secrets, err := p.ListRemoteSecrets(ctx, p.namespace)
	if err != nil {
		return nil, err
	}
	for _, s := range secrets {
		if _, names := s.Data[p.id]; names && s.Name != fleet.RemoteSecret(p.link.To) {
			return &breakage{hop: api.HopOtherSecret, why: fmt.Sprintf("Secret %s/%s names %s, too: istiod takes the one that it sees first, which may be that one after its next start", p.namespace, s.Name, p.id)}, nil
		}
	}
	return nil, nil
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
