package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/proof"
)

// WaitIntermediate waits until each istiod of a cluster works with the CA that was written into
// cacerts. The kubelet brings a Secret into a running pod within about a minute and a half, and
// istiod takes an intermediate of the same root from there without a restart.
func (a *Activities) WaitIntermediate(ctx context.Context, in api.WaitIntermediateInput) (out api.WaitIntermediateResult, err error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return out, err
	}
	err = kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		istiods, waiting, err := proof.WorksWith(ctx, c, in.Namespace, []byte(in.CertPEM))
		out.Istiods = istiods
		return waiting, err == nil && waiting == "", err
	})
	return out, err
}
