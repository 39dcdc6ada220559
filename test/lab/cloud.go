package lab

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// lbFinalizer holds a Service as Kubernetes' own cloud controllers do.
const lbFinalizer = "service.kubernetes.io/load-balancer-cleanup"

// cloud gives the LoadBalancer Services of one cluster their addresses: late,
// after failures, or never, as the lab's behaviour says; and takes them back.
type cloud struct {
	cluster  Cluster
	client   kubernetes.Interface
	services cache.Store
	known    map[types.UID]*balancer
}

// balancer keeps what the cloud knows of one Service.
type balancer struct {
	next     time.Time // when the next try may be
	failures int
	leaving  time.Time
	ordinal  int
}

// newCloud watches a cluster's Services until the context ends.
func newCloud(ctx context.Context, c Cluster, cfg *rest.Config) (*cloud, error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	all := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "services", metav1.NamespaceAll, fields.Everything())
	return &cloud{c, client, watch(ctx, all, &corev1.Service{}), map[types.UID]*balancer{}}, nil
}

func (c *cloud) look(ctx context.Context, b Behaviour) error {
	for _, o := range c.services.List() {
		svc := o.(*corev1.Service).DeepCopy()
		if svc.Spec.Type != corev1.ServiceTypeLoadBalancer && !slices.Contains(svc.Finalizers, lbFinalizer) {
			continue
		}
		if err := c.service(ctx, svc, b.Cloud); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (c *cloud) service(ctx context.Context, svc *corev1.Service, b CloudBehaviour) error {
	lb := c.known[svc.UID]
	if lb == nil {
		lb = &balancer{next: time.Now().Add(b.Delay), ordinal: len(c.known) + 1}
		c.known[svc.UID] = lb
	}
	if svc.DeletionTimestamp != nil || svc.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return c.takeBack(ctx, svc, lb, b)
	}
	if !slices.Contains(svc.Finalizers, lbFinalizer) {
		svc.Finalizers = append(svc.Finalizers, lbFinalizer)
		_, err := c.client.CoreV1().Services(svc.Namespace).Update(ctx, svc, metav1.UpdateOptions{})
		return err
	}
	want := c.addresses(svc, lb, b)
	if slices.EqualFunc(svc.Status.LoadBalancer.Ingress, want, sameAddress) {
		return nil
	}
	if time.Now().Before(lb.next) {
		return nil
	}
	faulty := b.Only == "" || b.Only == c.cluster.Name
	if faulty && (b.Never || lb.failures < b.Failures) {
		lb.failures++
		lb.next = time.Now().Add(max(b.Delay, time.Second))
		return c.event(ctx, svc, "SyncLoadBalancerFailed", fmt.Sprintf("Error syncing load balancer: failed to ensure load balancer: quota exceeded (try %d)", lb.failures))
	}
	svc, err := c.serve(ctx, svc, lb, b)
	if err != nil {
		return err
	}
	svc.Status.LoadBalancer.Ingress = want
	if _, err := c.client.CoreV1().Services(svc.Namespace).UpdateStatus(ctx, svc, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return c.event(ctx, svc, "EnsuredLoadBalancer", "Ensured load balancer")
}

// lastOctet ends an address in 203.0.113.0/24, which is reserved for
// documentation; on real nodes in the cluster's own part of it.
func (c *cloud) lastOctet(lb *balancer, b CloudBehaviour) int {
	if c.cluster.Real {
		const usable = 14 // of a /28
		return 16*c.cluster.Index + 1 + (lb.ordinal+b.Generation*5)%usable
	}
	return (c.cluster.Index*10+lb.ordinal+b.Generation*5)%250 + 1
}

// addresses returns what the cloud gives a Service: an IP of each family that the Service
// has, in its order, or one host name.
func (c *cloud) addresses(svc *corev1.Service, lb *balancer, b CloudBehaviour) (out []corev1.LoadBalancerIngress) {
	if b.Address == "hostname" {
		return []corev1.LoadBalancerIngress{{Hostname: fmt.Sprintf("lb-%d.%s.lab.example", c.lastOctet(lb, b), c.cluster.Name)}}
	}
	for _, ip := range c.ips(svc, lb, b) {
		out = append(out, corev1.LoadBalancerIngress{IP: ip})
	}
	return out
}

func (c *cloud) ips(svc *corev1.Service, lb *balancer, b CloudBehaviour) (out []string) {
	for _, f := range svc.Spec.IPFamilies {
		out = append(out, balancerIP(f, c.lastOctet(lb, b)).String())
	}
	return out
}

func sameAddress(a, b corev1.LoadBalancerIngress) bool {
	return a.IP == b.IP && a.Hostname == b.Hostname
}

// serve makes kube-proxy answer at an address that only a host name is known of:
// it looks at IPs alone.
func (c *cloud) serve(ctx context.Context, svc *corev1.Service, lb *balancer, b CloudBehaviour) (*corev1.Service, error) {
	var want []string
	if c.cluster.Real && b.Address == "hostname" {
		want = c.ips(svc, lb, b)
	}
	if slices.Equal(svc.Spec.ExternalIPs, want) {
		return svc, nil
	}
	svc.Spec.ExternalIPs = want
	return c.client.CoreV1().Services(svc.Namespace).Update(ctx, svc, metav1.UpdateOptions{})
}

// takeBack does what Kubernetes' service controller does for a Service that goes, or that
// is no LoadBalancer any more.
func (c *cloud) takeBack(ctx context.Context, svc *corev1.Service, lb *balancer, b CloudBehaviour) error {
	if lb.leaving.IsZero() {
		lb.leaving = time.Now().Add(b.Delay)
	}
	if time.Now().Before(lb.leaving) || !slices.Contains(svc.Finalizers, lbFinalizer) {
		return nil
	}
	svc.Finalizers = slices.DeleteFunc(svc.Finalizers, func(f string) bool { return f == lbFinalizer })
	svc, err := c.client.CoreV1().Services(svc.Namespace).Update(ctx, svc, metav1.UpdateOptions{})
	if err != nil || svc.DeletionTimestamp != nil {
		return err
	}
	// It is another type of Service now, and has no address any more.
	delete(c.known, svc.UID)
	svc.Status.LoadBalancer = corev1.LoadBalancerStatus{}
	_, err = c.client.CoreV1().Services(svc.Namespace).UpdateStatus(ctx, svc, metav1.UpdateOptions{})
	return err
}

func (c *cloud) event(ctx context.Context, svc *corev1.Service, reason, message string) error {
	typ := corev1.EventTypeNormal
	if reason == "SyncLoadBalancerFailed" {
		typ = corev1.EventTypeWarning
	}
	now := metav1.Now()
	_, err := c.client.CoreV1().Events(svc.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: svc.Name + ".", Namespace: svc.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Service", Namespace: svc.Namespace, Name: svc.Name, UID: svc.UID, APIVersion: "v1"},
		Reason:         reason, Message: message, Type: typ, Source: corev1.EventSource{Component: "lab-cloud"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	return err
}
