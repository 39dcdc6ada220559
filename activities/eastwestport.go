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
	"github.com/landbridge/landbridge/internal/kube"
)

// portManager is the field manager of the port on a Service of somebody else's:
// the API server knows by it what is ours to take off again.
const portManager = kube.FieldManager + "-port"

// apiPortName names the port of the API on an east-west gateway's Service.
const apiPortName = "istio-mtls-kube-api-server"

// ensurePort is step 7 on an east-west gateway of one's own: its Service gets the
// port of the API, and nothing else of it is touched.
func (a *Activities) ensurePort(ctx context.Context, s api.ClusterRef, g fleet.Gateways) (fleet.Changes, error) {
	w, err := a.writer(ctx, s, componentEastWest, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	live, err := w.Client.CoreV1().Services(s.Namespace).Get(ctx, g.EastWest.Service, metav1.GetOptions{})
	if err != nil {
		return fleet.Changes{}, wrap(err, "read Service %s/%s (spec.gateways.eastWest)", s.Namespace, g.EastWest.Service)
	}
	ch := fleet.Change{Action: fleet.Keep, Kind: "Service", Namespace: s.Namespace, Name: live.Name, Note: "was there before; stays at cleanup"}
	if hasPort(live, g.APIPort) {
		w.Note(ch)
		return w.Changes(), nil
	}
	ch.Action, ch.Note = fleet.Adopt, fmt.Sprintf("gets the port %d; stays at cleanup", g.APIPort)
	err = applyPort(ctx, w, live.Name, s.Namespace, map[string]string{fleet.AnnotationPort: s.Fleet, fleet.AnnotationRun: s.Run},
		[]any{port(apiPortName, g.APIPort)})
	if err == nil {
		w.Note(ch)
	}
	return w.Changes(), err
}

func hasPort(svc *corev1.Service, number int) bool {
	return slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == number })
}

// removePorts takes the fleet's port off Services of somebody else's.
func (a *Activities) removePorts(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.remover(ctx, in, componentEastWest)
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
	for _, svc := range list.Items {
		if svc.Annotations[fleet.AnnotationPort] != in.Fleet || in.OnlyRun != "" && svc.Annotations[fleet.AnnotationRun] != in.OnlyRun {
			continue
		}
		if err := applyPort(ctx, w, svc.Name, in.Namespace, nil, nil); err != nil {
			return w.Changes(), err
		}
		w.Note(fleet.Change{Action: fleet.Update, Kind: "Service", Namespace: in.Namespace, Name: svc.Name, Note: "was there before; our port is off"})
	}
	return w.Changes(), nil
}

// applyPort makes the ports and annotations all that Landbridge has on a Service:
// with server-side apply, what it no longer names goes, and nothing of anybody
// else's.
func applyPort(ctx context.Context, w *kube.Writer, name, namespace string, annotations map[string]string, ports []any) error {
	if w.DryRun {
		return nil
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	obj := map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name, "namespace": namespace, "annotations": annotations}}
	if len(ports) > 0 {
		obj["spec"] = map[string]any{"ports": ports}
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	_, err = w.Client.CoreV1().Services(namespace).Patch(ctx, name, types.ApplyPatchType, data, metav1.PatchOptions{FieldManager: portManager})
	return wrap(err, "set the port of the API on Service %s/%s", namespace, name)
}
