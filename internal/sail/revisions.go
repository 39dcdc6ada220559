package sail

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// Revisions lists the revisions of an Istio: the one with its name, and those that Sail made
// for it where it is updated by revisions, the older ones that pods still use included.
func Revisions(ctx context.Context, c *kube.Cluster, istio string) ([]string, error) {
	out := []string{istio}
	list, err := c.In(kinds.IstioRevisions, "").List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return out, nil // the operator is gone, with its kinds
	}
	if err != nil {
		return nil, fmt.Errorf("list the revisions of Istio %s: %w", istio, err)
	}
	for _, rev := range list.Items {
		owner := metav1.GetControllerOf(&rev)
		if owner != nil && owner.Kind == kinds.Istios.Kind && owner.Name == istio && rev.GetName() != istio {
			out = append(out, rev.GetName())
		}
	}
	return out, nil
}
