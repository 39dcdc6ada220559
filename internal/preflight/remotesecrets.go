package preflight

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// checkRemoteSecrets finds the remote secrets that this fleet did not make. Which of
// them is in the way depends on the fleet's links, so the rollout judges them.
func (c *cluster) checkRemoteSecrets(ctx context.Context) error {
	secrets, err := c.ListRemoteSecrets(ctx, c.in.Namespace)
	if err != nil {
		return err
	}
	for _, s := range secrets {
		if s.Labels[fleet.LabelFleet] != c.in.Fleet && len(s.Data) > 0 {
			c.out.RemoteSecrets = append(c.out.RemoteSecrets, api.RemoteSecret{Name: s.Name, Clusters: kube.RemoteClusters(s), Fleet: s.Labels[fleet.LabelFleet]})
		}
	}
	return nil
}
