package activities

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// cloudSays tells what the cloud says of a Service that has no address, in brackets:
// what its status names as wrong, and its newest events, good ones too, since they tell that
// somebody works on it.
func cloudSays(ctx context.Context, c *kube.Cluster, svc *corev1.Service) string {
	var said []string
	for _, cond := range svc.Status.Conditions {
		if strings.HasSuffix(cond.Type, "Error") == (cond.Status == metav1.ConditionTrue) && cond.Status != metav1.ConditionUnknown {
			said = append(said, cond.Reason+": "+cond.Message)
		}
	}
	for _, in := range svc.Status.LoadBalancer.Ingress {
		for _, port := range in.Ports {
			if port.Error != nil {
				said = append(said, fmt.Sprintf("port %d: %s", port.Port, *port.Error))
			}
		}
	}
	if events := c.LastEvents(ctx, kinds.Services.Kind, svc.Namespace, svc.Name); events != "" {
		said = append(said, events)
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}
