package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
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
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.WaitLoadBalancerResult{}, err
	}
	if in.DryRun {
		addr, _, err := loadBalancer(ctx, c, in.Namespace, in.EastWest)
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return api.WaitLoadBalancerResult{Address: addr}, err
	}
	limited, cancel := context.WithDeadline(ctx, in.Until)
	defer cancel()
	var addr fleet.Address
	last := ""
	err = c.Wait(limited, func(ctx context.Context) (waiting string, done bool, err error) {
		addr, waiting, err = loadBalancer(ctx, c, in.Namespace, in.EastWest)
		if waiting != "" {
			last = ": " + waiting
		}
		return waiting, err == nil && waiting == "", err
	}, kube.Watched{Resource: kinds.Services, Namespace: in.Namespace, Name: in.EastWest.ServiceName()})
	// A request that the end of the wait cuts off fails in its own way; the error says
	// what the cloud said before.
	if err != nil && ctx.Err() == nil && time.Until(in.Until) < theEnd {
		return api.WaitLoadBalancerResult{}, &LoadBalancerError{"the east-west gateway has no address at the end of spec.gateways.loadBalancerTimeout" + last}
	}
	return api.WaitLoadBalancerResult{Address: addr}, err
}

// theEnd says how long before its limit a wait counts as over.
const theEnd = 2 * time.Second

// loadBalancer reads the address of a gateway's Service, or what it still waits for.
func loadBalancer(ctx context.Context, c *kube.Cluster, namespace string, e fleet.EastWest) (fleet.Address, string, error) {
	svc, err := c.Client.CoreV1().Services(namespace).Get(ctx, e.ServiceName(), metav1.GetOptions{})
	if err != nil {
		return fleet.Address{}, "", err
	}
	if svc.DeletionTimestamp != nil {
		return fleet.Address{}, "", &kube.DeadEndError{Reason: fmt.Sprintf("Service %s/%s is being deleted while its address is waited for", namespace, svc.Name)}
	}
	listed := listedAddresses(svc)
	if addr := chooseAddress(listed, e.Addresses); addr.Known() {
		return addr, "", nil
	}
	waiting := fmt.Sprintf("Service %s/%s has no load balancer address yet", namespace, svc.Name)
	if len(listed) > 0 {
		waiting = fmt.Sprintf("Service %s/%s has %s and no address for spec.gateways.eastWest.addresses: %s",
			namespace, svc.Name, strings.Join(showListed(listed), ", "), e.Addresses)
	}
	return fleet.Address{}, waiting + cloudSays(ctx, c, svc), nil
}
