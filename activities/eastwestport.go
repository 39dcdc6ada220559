package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// portManager owns the port that Landbridge adds to an existing Service: by this
// field manager the API server knows which port to remove again.
const portManager = kube.FieldManager + "-port"

// ensurePort does step 7 on an existing east-west gateway: its Service gets the
// port of the API, and nothing else of it is touched.
func ensurePort(ctx context.Context, w *kube.Writer, namespace string, g fleet.Gateways) (fleet.Changes, error) {
	live, err := w.Client.CoreV1().Services(namespace).Get(ctx, g.EastWest.ServiceName(), metav1.GetOptions{})
	if err != nil {
		return fleet.Changes{}, wrap(err, "read Service %s/%s (spec.gateways.eastWest)", namespace, g.EastWest.ServiceName())
	}
	ch := fleet.Change{Action: fleet.Keep, Kind: kinds.Services.Kind, Namespace: namespace, Name: live.Name, Note: noteExisting}
	port := apiServicePort(g)
	number := port["port"].(int)
	if hasPort(live, number) && !w.Owner.Made(live.Annotations) {
		w.Note(ch)
		return w.Changes(), nil
	}
	if !hasPort(live, number) {
		if err := applyPort(ctx, w, live, port); err != nil {
			return w.Changes(), err
		}
	}
	ch.Action, ch.Note = fleet.Adopt, fmt.Sprintf("gets the port %d; stays at cleanup", number)
	w.Note(ch)
	return w.Changes(), nil
}

func hasPort(svc *corev1.Service, number int) bool {
	return slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == number })
}

// removePorts removes the fleet's port from existing Services.
func (a *Activities) removePorts(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentEastWest, in.Link)
	if err != nil {
		return fleet.Changes{}, err
	}
	list, err := w.Client.CoreV1().Services(in.Namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return fleet.Changes{}, nil
	}
	if err != nil {
		return fleet.Changes{}, wrap(err, "list the Services of %s", in.Namespace)
	}
	for i := range list.Items {
		svc := &list.Items[i]
		if svc.Annotations[fleet.AnnotationPort] != in.Fleet || in.OnlyRun != "" && svc.Annotations[fleet.AnnotationRun] != in.OnlyRun {
			continue
		}
		if err := applyPort(ctx, w, svc, nil); err != nil {
			return w.Changes(), err
		}
		w.Note(fleet.Change{Action: fleet.Update, Kind: kinds.Services.Kind, Namespace: in.Namespace, Name: svc.Name, Note: "existed before; loses only the port that was added"})
	}
	return w.Changes(), nil
}

// applyPort makes the port, with annotations that say whose it is, all that
// Landbridge has on a Service; without a port Landbridge has nothing there. With
// server-side apply nothing of anybody else's changes.
func applyPort(ctx context.Context, w *kube.Writer, svc *corev1.Service, port map[string]any) error {
	if w.DryRun {
		return nil
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	metadata := map[string]any{"name": svc.Name, "namespace": svc.Namespace}
	obj := map[string]any{"apiVersion": "v1", "kind": kinds.Services.Kind, "metadata": metadata}
	if port != nil {
		metadata["annotations"] = map[string]string{fleet.AnnotationPort: w.Owner.Fleet, fleet.AnnotationRun: w.Owner.Run}
		obj["spec"] = map[string]any{"ports": []any{port}}
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	_, err = w.Client.CoreV1().Services(svc.Namespace).Patch(ctx, svc.Name, types.ApplyPatchType, data, metav1.PatchOptions{FieldManager: portManager})
	return wrap(err, "set the port of the API on Service %s/%s", svc.Namespace, svc.Name)
}
