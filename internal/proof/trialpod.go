package proof

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	// notConnected is how pilot-agent ends a wait in vain.
	notConnected = "timeout waiting"
	// trialEnds bounds the life of the pod in seconds, whatever becomes of the worker.
	trialEnds = 90
)

// trialPod returns a pod without a sidecar that waits, with pilot-agent of the gateway's own
// image, until the gateway is ready. It is like the gateway's pod in what admission and
// nodes ask of one, and belongs to the NetworkPolicy, so that it never outlives that.
func trialPod(name string, policy *networkingv1.NetworkPolicy, gateway *corev1.Pod, owner kube.Owner) *corev1.Pod {
	none, ends, grace := false, int64(trialEnds), int64(0)
	proxy := corev1.Container{}
	if i := slices.IndexFunc(gateway.Spec.Containers, func(c corev1.Container) bool { return c.Name == proxyContainer }); i >= 0 {
		proxy = gateway.Spec.Containers[i]
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: gateway.Namespace, Name: name,
			Labels: map[string]string{fleet.LabelFleet: owner.Fleet, fleet.LabelManagedBy: fleet.ManagedBy, "sidecar.istio.io/inject": "false"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: kinds.NetworkPolicies.GroupVersion().String(), Kind: kinds.NetworkPolicies.Kind,
				Name: policy.Name, UID: policy.UID}},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &none, ActiveDeadlineSeconds: &ends, TerminationGracePeriodSeconds: &grace,
			SecurityContext: gateway.Spec.SecurityContext, ImagePullSecrets: gateway.Spec.ImagePullSecrets,
			NodeSelector: gateway.Spec.NodeSelector, Tolerations: gateway.Spec.Tolerations,
			Containers: []corev1.Container{{
				Name: "trial", Image: proxy.Image, ImagePullPolicy: proxy.ImagePullPolicy, SecurityContext: proxy.SecurityContext,
				Command:                  []string{"pilot-agent", "wait", "--url", readiness(gateway), "--timeoutSeconds", "3", "--requestTimeoutMillis", "1000"},
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("40Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("128Mi")}},
			}},
		},
	}
}

func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// outcome tells how the pod's wait ended: open, closed, or nothing and why.
func outcome(p *corev1.Pod) (is, why string) {
	if p.Status.Phase == corev1.PodSucceeded {
		return fleet.OtherPodsGetIn, ""
	}
	why = fmt.Sprintf("pod %s is %s", p.Name, p.Status.Phase)
	if p.Status.Message != "" {
		why += ": " + p.Status.Message
	}
	for _, s := range p.Status.ContainerStatuses {
		switch end, waits := s.State.Terminated, s.State.Waiting; {
		case end != nil && strings.Contains(end.Message, notConnected):
			return fleet.OtherPodsDoNot, ""
		case end != nil:
			why += fmt.Sprintf(": exit code %d: %s", end.ExitCode, strings.TrimSpace(end.Message))
		case waits != nil && waits.Message != "":
			why += ": " + waits.Message
		}
	}
	return "", why
}
