package kube_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func warning(kind, name, reason, message string) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: strings.ToLower(kind + name + reason)}, Type: corev1.EventTypeWarning,
		Reason: reason, Message: message, InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name}}
}

func pod(status corev1.PodStatus) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway-1-a", Labels: map[string]string{"app": "gateway"}}, Status: status}
}

func waitingFor(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

// Wherever we wait for an object, the message has the words of who knows why it does not
// get on, wherever these stand.
func TestEveryWait_SaysWhyInKubernetesOwnWords(t *testing.T) {
	t.Parallel() // it takes its time
	now := metav1.Now()
	deletion := metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway", UID: "1", DeletionTimestamp: &now, Finalizers: []string{"service.kubernetes.io/load-balancer-cleanup"}}
	deployment := gateway(unavailable)
	refused := gateway(func(d *appsv1.Deployment) {
		unavailable(d)
		d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota: pods"})
	})
	ready := func(ctx context.Context, c *kubetest.Cluster) error {
		return c.WaitDeployment(ctx, "istio-system", "gateway")
	}
	gone := func(res kinds.Resource) func(context.Context, *kubetest.Cluster) error {
		return func(ctx context.Context, c *kubetest.Cluster) error {
			namespace := "istio-system"
			if res == kinds.Namespaces {
				namespace = ""
			}
			obj, err := c.Get(ctx, res, namespace, "gateway")
			require.NoError(t, err)
			return (&kube.Writer{Cluster: c.Cluster}).WaitGone(ctx, res, obj)
		}
	}
	for name, c := range map[string]struct {
		objects []runtime.Object
		wait    func(context.Context, *kubetest.Cluster) error
		want    string
	}{
		"a quota on pods, in a condition":  {[]runtime.Object{refused}, ready, "exceeded quota: pods"},
		"a policy on pods, in an event":    {[]runtime.Object{deployment, warning("ReplicaSet", "gateway-5d9", "FailedCreate", `violates PodSecurity "restricted"`)}, ready, `(FailedCreate: violates PodSecurity "restricted")`},
		"an image":                         {[]runtime.Object{deployment, pod(corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{waitingFor("ImagePullBackOff", "Back-off pulling image x")}})}, ready, "(ImagePullBackOff: Back-off pulling image x)"},
		"an init container":                {[]runtime.Object{deployment, pod(corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{waitingFor("CreateContainerConfigError", "no such key")}})}, ready, "(CreateContainerConfigError: no such key)"},
		"no node":                          {[]runtime.Object{deployment, pod(corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}})}, ready, "(Unschedulable: 0/3 nodes are available)"},
		"an evicted pod":                   {[]runtime.Object{deployment, pod(corev1.PodStatus{Reason: "Evicted", Message: "The node was low on resource: memory."})}, ready, "(Evicted: The node was low on resource: memory.)"},
		"a probe":                          {[]runtime.Object{deployment, pod(corev1.PodStatus{}), warning("Pod", "gateway-1-a", "Unhealthy", "Readiness probe failed: 503")}, ready, "(Unhealthy: Readiness probe failed: 503)"},
		"a cloud that keeps an address":    {[]runtime.Object{&corev1.Service{ObjectMeta: deletion}, warning("Service", "gateway", "SyncLoadBalancerFailed", "failed to delete load balancer: in use")}, gone(kinds.Services), "load-balancer-cleanup (SyncLoadBalancerFailed: failed to delete load balancer: in use)"},
		"a namespace with something in it": {[]runtime.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "gateway", UID: "2"}, Status: corev1.NamespaceStatus{Conditions: []corev1.NamespaceCondition{{Type: corev1.NamespaceDeletionDiscoveryFailure, Status: corev1.ConditionTrue, Message: "Discovery failed for some groups"}}}}}, gone(kinds.Namespaces), "Discovery failed for some groups"},
	} {
		said := waitsFor(t, 600*time.Millisecond, func(ctx context.Context) error { return c.wait(ctx, kubetest.New("east", c.objects...)) })
		require.Contains(t, said, c.want, name)
	}
}

func TestWhy_OfWhatGetsOn_IsNothing(t *testing.T) {
	making := pod(corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{waitingFor("ContainerCreating", "")}})
	c := kubetest.New("east", gateway(unavailable), making, warning("ReplicaSet", "gateway-of-another-5d9", "FailedCreate", "x"), warning("Service", "gateway", "x", "y"))
	obj, err := c.Get(t.Context(), kinds.Deployments, "istio-system", "gateway")
	require.NoError(t, err)
	require.Empty(t, c.Why(t.Context(), obj))
	require.Empty(t, c.Why(t.Context(), nil))
}

func TestWaitObject_AsksWhyWhileItWaits(t *testing.T) {
	t.Parallel() // it takes its time
	c := kubetest.New("east", gateway(unavailable), warning("Deployment", "gateway", "FailedCreate", "no room"))
	asked := 0
	c.React("list", "events", func(clienttesting.Action) (bool, runtime.Object, error) { asked++; return false, nil, nil })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second+500*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, c.WaitDeployment(ctx, "istio-system", "gateway"), "(FailedCreate: no room)")
	require.Equal(t, 2, asked, "after a moment, and at the end")
}
