package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

func (w *world) service(ingress ...corev1.LoadBalancerIngress) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.ref.Namespace, Name: fleet.EastWestGateway},
		Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: ingress}}}
}

func (w *world) waitAddress(limit time.Duration) (fleet.Address, error) {
	return w.waitFor(fleet.EastWest{}, limit)
}

func (w *world) waitFor(e fleet.EastWest, limit time.Duration) (fleet.Address, error) {
	got, err := w.acts.WaitLoadBalancer(w.t.Context(), api.WaitLoadBalancerInput{ClusterRef: w.ref, Until: time.Now().Add(limit), EastWest: e})
	return got.Address, err
}

func TestWaitLoadBalancer_TheCloudTakesItsTime_ReturnsTheAddress(t *testing.T) {
	w := newWorld(t, "west")
	w.Put(w.service())
	go func() {
		time.Sleep(100 * time.Millisecond)
		w.Put(w.service(corev1.LoadBalancerIngress{Hostname: "lb.west.example.com"}))
	}()
	got, err := w.waitAddress(time.Minute)
	require.NoError(t, err)
	require.Equal(t, fleet.Address{Hostname: "lb.west.example.com"}, got)
}

func TestWaitLoadBalancer_NeverComes_SaysWhatTheCloudSaid(t *testing.T) {
	t.Parallel() // it takes its time
	w := newWorld(t, "west")
	refused := "acme.test/NoSuchPort"
	svc := w.service(corev1.LoadBalancerIngress{Ports: []corev1.PortStatus{{Port: 16443, Error: &refused}}})
	svc.Status.Conditions = []metav1.Condition{{Type: corev1.LoadBalancerPortsError, Status: metav1.ConditionTrue, Reason: corev1.LoadBalancerPortsErrorReason, Message: "one port is not possible"}}
	w.Put(svc)
	w.Put(&corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: w.ref.Namespace, Name: "e"}, Reason: "SyncLoadBalancerFailed", Message: "quota exceeded",
		InvolvedObject: corev1.ObjectReference{Kind: "Service", Namespace: w.ref.Namespace, Name: fleet.EastWestGateway}})
	_, err := w.waitAddress(3 * time.Second)
	var never *LoadBalancerError
	require.ErrorAs(t, err, &never)
	require.EqualError(t, err, "the east-west gateway has no address at the end of spec.gateways.loadBalancerTimeout: "+
		"Service istio-system/istio-eastwestgateway has no load balancer address yet (LoadBalancerMixedProtocolNotSupported: one port is not possible; port 16443: acme.test/NoSuchPort; SyncLoadBalancerFailed: quota exceeded)")
}

func TestWaitLoadBalancer_ServiceBeingDeleted_EndsAtOnce(t *testing.T) {
	w := newWorld(t, "west")
	svc, now := w.service(), metav1.Now()
	svc.DeletionTimestamp, svc.Finalizers = &now, []string{"service.kubernetes.io/load-balancer-cleanup"}
	w.Put(svc)
	_, err := w.waitAddress(time.Minute)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
}

func TestWaitLoadBalancer_DryRun_DoesNotWait(t *testing.T) {
	w := newWorld(t, "west")
	w.ref.DryRun = true
	got, err := w.waitAddress(0)
	require.NoError(t, err, "there is no Service yet")
	require.False(t, got.Known())
	w.Put(w.service(corev1.LoadBalancerIngress{IP: "192.0.2.1"}))
	got, err = w.waitAddress(0)
	require.NoError(t, err)
	require.Equal(t, fleet.Address{IPs: []string{"192.0.2.1"}}, got)
}
