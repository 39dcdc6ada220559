package activities

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
)

// LoadBalancerError reports a cloud that gave no address in time.
type LoadBalancerError struct{ Reason string }

func (e *LoadBalancerError) Error() string { return e.Reason }

// WaitLoadBalancer waits for the address of the east-west gateway, between steps 8
// and 11: the guide does not wait. While it waits, its heartbeats carry the
// Service's own events. When time is up it fails with these, as a
// *LoadBalancerError.
func (a *Activities) WaitLoadBalancer(ctx context.Context, in api.WaitLoadBalancerInput) (api.WaitLoadBalancerResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.WaitLoadBalancerResult{}, err
	}
	if in.DryRun {
		addr, _, err := loadBalancer(ctx, c, in.Namespace, in.EastWest.ServiceName())
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return api.WaitLoadBalancerResult{Address: addr}, err
	}
	limited, cancel := context.WithDeadline(ctx, in.Until)
	defer cancel()
	var addr api.Address
	last := ""
	err = kube.Poll(limited, func(ctx context.Context) (waiting string, done bool, err error) {
		addr, waiting, err = loadBalancer(ctx, c, in.Namespace, in.EastWest.ServiceName())
		if waiting != "" {
			last = ": " + waiting
		}
		return waiting, err == nil && waiting == "", err
	})
	// A request that the end of the wait cuts off fails in its own way; the error says
	// what the cloud said before.
	if err != nil && ctx.Err() == nil && time.Until(in.Until) < theEnd {
		return api.WaitLoadBalancerResult{}, &LoadBalancerError{"the east-west gateway has no address at the end of spec.gateways.loadBalancerTimeout" + last}
	}
	return api.WaitLoadBalancerResult{Address: addr}, err
}

// theEnd says how long before its limit a wait counts as over.
const theEnd = 2 * time.Second

// loadBalancer reads the address of a Service, or what it still waits for.
func loadBalancer(ctx context.Context, c *kube.Cluster, namespace, name string) (api.Address, string, error) {
	svc, err := c.Client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return api.Address{}, "", err
	}
	if svc.DeletionTimestamp != nil {
		return api.Address{}, "", &kube.DeadEndError{Reason: fmt.Sprintf("Service %s/%s is being deleted while its address is waited for", namespace, svc.Name)}
	}
	if addr := addressOf(svc); addr.Known() {
		return addr, "", nil
	}
	return api.Address{}, fmt.Sprintf("Service %s/%s has no load balancer address yet%s", namespace, svc.Name, cloudSays(ctx, c, svc)), nil
}

// addressOf prefers IPs, all of them, to a hostname: they need no DNS. Each IP counts
// once, and what does not parse as an IP counts as none: Istio would refuse the
// endpoints.
func addressOf(svc *corev1.Service) api.Address {
	var a api.Address
	for _, i := range svc.Status.LoadBalancer.Ingress {
		if ip, err := netip.ParseAddr(i.IP); err == nil && ip.Zone() == "" {
			a.IPs = append(a.IPs, ip.String())
		} else if a.Hostname == "" {
			a.Hostname = i.Hostname
		}
	}
	if len(a.IPs) > 0 {
		a.Hostname = ""
		slices.Sort(a.IPs)
		a.IPs = slices.Compact(a.IPs)
	}
	return a
}
