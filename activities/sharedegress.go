package activities

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// EnsureSharedEgress does step 10 for all links of a source, where they share one egress
// gateway: it installs the gateway chart under an identity by which every target knows the
// source. The release has no Service: each target gets its own with its link. A NetworkPolicy
// lets istiod in, and no other pod.
func (a *Activities) EnsureSharedEgress(ctx context.Context, in api.EnsureSharedEgressInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentEgress, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	return a.ensureEgress(ctx, w, sharedRelease(in), portRange(fleet.FirstSharedPort, fleet.LastSharedPort))
}

func sharedRelease(in api.EnsureSharedEgressInput) gatewayRelease {
	return gatewayRelease{name: fleet.SharedEgressGateway, settings: in.GatewaySettings, pods: in.Gateways.Egress.Pods, field: "gateways.egress", values: map[string]any{
		"serviceAccount": map[string]any{"name": fleet.EgressShared.Identity(fleet.Link{From: in.Cluster})},
		"service":        map[string]any{"type": "None"},
	}}
}

// sharedService leads to the port that the shared gateway has for one target. The port stays as
// long as the Service does.
func sharedService(in api.EnsureEgressGatewayInput) *corev1.Service {
	mode, to := in.Gateways.Egress.Mode, in.Link.To
	return &corev1.Service{
		TypeMeta:   typeMeta(kinds.Services),
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: mode.Service(to)},
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: map[string]string{"app": mode.Gateway(to)},
			Ports: []corev1.ServicePort{{Name: egressPortName, Protocol: corev1.ProtocolTCP,
				Port: fleet.EgressPort, TargetPort: intstr.FromInt(in.Port)}},
		},
	}
}

// RemoveSharedEgress undoes EnsureSharedEgress, unless a link uses the gateway.
func (a *Activities) RemoveSharedEgress(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentEgress, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if ns, err := readNamespace(ctx, w.Cluster, in.Namespace); ns == nil || err != nil {
		return fleet.Changes{}, err
	}
	services, err := sharedServices(ctx, w, in.Namespace)
	if err != nil || len(services) > 0 {
		return fleet.Changes{}, err
	}
	return removeSharedGateway(ctx, w, in)
}

func removeSharedGateway(ctx context.Context, w *kube.Writer, in api.RemoveInput) (fleet.Changes, error) {
	releases, err := chart.Open(ctx, w, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := releases.RemoveNamed(ctx, fleet.SharedEgressGateway, in.OnlyRun); err != nil {
		return w.Changes(), err
	}
	err = removeNamed(ctx, w, kinds.NetworkPolicies, in, fleet.SharedEgressGateway)
	return w.Changes(), err
}

// removeShared removes the Services by which links use the shared gateway, that of one link
// where the input names one. With the last of them goes the gateway; an undo leaves that to
// RemoveSharedEgress, since other links may be about to use it.
func (a *Activities) removeShared(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentEgress, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	all, err := sharedServices(ctx, w, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	var goes []unstructured.Unstructured
	for _, s := range all {
		of := in.Link == "" || s.GetLabels()[fleet.LabelLink] == in.Link
		if of && (in.OnlyRun == "" || s.GetAnnotations()[fleet.AnnotationRun] == in.OnlyRun) {
			goes = append(goes, s)
		}
	}
	err = w.RemoveThese(ctx, kinds.Services, goes)
	if err != nil || in.Link == "" || in.OnlyRun != "" || len(goes) < len(all) {
		return w.Changes(), err // without a link, the gateways went before
	}
	return removeSharedGateway(ctx, w, in)
}

// sharedServices lists the Services by which links use the shared gateway. Those of gateways of
// one link are Helm's.
func sharedServices(ctx context.Context, w *kube.Writer, namespace string) ([]unstructured.Unstructured, error) {
	all, err := w.Owned(ctx, kinds.Services, namespace, "")
	return slices.DeleteFunc(all, func(s unstructured.Unstructured) bool {
		return s.GetLabels()[fleet.LabelManagedBy] != fleet.ManagedBy
	}), err
}

// removeNamed removes the owner's object of that kind and name.
func removeNamed(ctx context.Context, w *kube.Writer, res kinds.Resource, in api.RemoveInput, name string) error {
	all, err := w.Owned(ctx, res, in.Namespace, in.OnlyRun)
	if err != nil {
		return err
	}
	return w.RemoveThese(ctx, res, slices.DeleteFunc(all, func(o unstructured.Unstructured) bool { return o.GetName() != name }))
}
