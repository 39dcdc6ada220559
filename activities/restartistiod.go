package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/temporal"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// annotationRestarted is kubectl's own, by which a Deployment makes its pods anew. Neither Sail nor
// Helm takes it off.
const annotationRestarted = "kubectl.kubernetes.io/restartedAt"

// RestartIstiod restarts every istiod of a cluster, one Deployment after the other, and waits
// until its pods are ready: an istiod that runs takes no other roots.
func (a *Activities) RestartIstiod(ctx context.Context, in api.RestartIstiodInput) (out api.RestartIstiodResult, err error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACerts, "")
	if err != nil {
		return out, err
	}
	list, err := w.Client.AppsV1().Deployments(in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return out, wrap(err, "list the Deployments of istiod")
	}
	if len(list.Items) == 0 {
		return out, temporal.NewNonRetryableApplicationError(fmt.Sprintf("namespace %s has no Deployment with the label %s: there is no istiod to restart", in.Namespace, fleet.IstiodPods), api.TypeInvalid, nil)
	}
	for _, d := range list.Items {
		if d.Spec.Template.Annotations[annotationRestarted] != in.Mark {
			if err := restart(ctx, w, d.Namespace, d.Name, in.Mark); err != nil {
				return out, err
			}
		}
		if err := w.WaitDeployment(ctx, d.Namespace, d.Name); err != nil {
			return out, err
		}
		out.Restarted = append(out.Restarted, d.Name)
	}
	return out, nil
}

func restart(ctx context.Context, w *kube.Writer, namespace, name, mark string) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]string{annotationRestarted: mark}}}}})
	if err != nil {
		return err
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	_, err = w.In(kinds.Deployments, namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: kube.FieldManager})
	if err != nil {
		return fmt.Errorf("restart Deployment %s/%s: %w", namespace, name, err)
	}
	return nil
}
