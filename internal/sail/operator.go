package sail

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kube"
)

// operators selects the Deployments of the Sail operator, and of OpenShift Service Mesh
// 3, which is Sail.
const operators = "app.kubernetes.io/created-by in (sailoperator,servicemeshoperator3)"

// Operator tells whether the Sail operator runs, and which Deployment that is: "its
// operator (Deployment sail-operator/sail-operator) runs".
func Operator(ctx context.Context, c *kube.Cluster) string {
	list, err := c.Client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: operators})
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("the worker may not see whether its operator runs; `kubectl get deployments -A -l '%s'` shows it", operators)
	case err != nil:
		return fmt.Sprintf("whether its operator runs cannot be seen: %v", err)
	case len(list.Items) == 0:
		return fmt.Sprintf("no Deployment of a Sail operator is found (%s); start it", operators)
	}
	d := list.Items[0]
	name := fmt.Sprintf("its operator (Deployment %s/%s)", d.Namespace, d.Name)
	if d.Status.ReadyReplicas > 0 {
		return fmt.Sprintf("%s runs; its log says more", name)
	}
	if want := d.Spec.Replicas; want != nil && *want == 0 {
		return fmt.Sprintf("%s does not run: it is scaled to 0; scale it up", name)
	}
	return fmt.Sprintf("%s does not run: none of its pods is ready", name)
}

// Patience tells how long the operator may leave something alone before somebody asks
// whether it runs.
const Patience = 10 * time.Second

// Asking adds what is known of the operator to a wait for it that has lasted longer
// than Patience. It asks again after a while. The zero value is ready.
type Asking struct {
	since, asked time.Time
	answer       string
}

// About returns what is waited for, with the operator's state where it has been waited
// for long enough. Idle tells that the operator has yet to do something.
func (a *Asking) About(ctx context.Context, c *kube.Cluster, waiting string, idle bool) string {
	switch now := time.Now(); {
	case !idle:
		*a = Asking{}
		return waiting
	case a.since.IsZero():
		a.since = now
	case now.Sub(a.since) > Patience && now.Sub(a.asked) > Patience:
		a.asked, a.answer = now, Operator(ctx, c)
	}
	return joined(waiting, a.answer)
}
