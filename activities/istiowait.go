package activities

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/sail"
)

// WaitIstio waits until Sail has installed IstioCNI and Istio in their current
// generation, and istiod and the CNI plugin run. It ends early, with Sail's own message,
// where nothing can change any more.
func (a *Activities) WaitIstio(ctx context.Context, in api.WaitIstioInput) (api.WaitIstioResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.WaitIstioResult{}, err
	}
	installation := sail.Installation{Name: in.Name, Namespace: in.Namespace, CNINamespace: in.CNINamespace}
	var last sail.Report
	var asking sail.Asking
	err = c.WaitObject(ctx, func(ctx context.Context) (*unstructured.Unstructured, string, bool, error) {
		r, err := sail.Look(ctx, c, installation)
		if err != nil {
			return nil, "", false, err
		}
		last = r
		return r.Slow, asking.About(ctx, c, r.Waiting, r.Unseen), r.Waiting == "", nil
	}, installation.Watched()...)
	return api.WaitIstioResult{State: last.State}, err
}
