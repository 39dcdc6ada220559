package preflight

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// checkOtherPods finds the links whose egress gateway any pod of the cluster gets a
// connection to, as the last proof of a rollout found out.
func (c *cluster) checkOtherPods(ctx context.Context) error {
	list, err := c.Client.NetworkingV1().NetworkPolicies(c.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.LabelFleet + "=" + c.claim.Fleet})
	if apierrors.IsNotFound(err) {
		return nil // the namespace is still to be made
	}
	if err != nil {
		return fmt.Errorf("list the NetworkPolicies of %s: %w", c.in.Namespace, err)
	}
	for i := range list.Items {
		p := &list.Items[i]
		if !fleet.OpenToOtherPods(p.Annotations) {
			continue
		}
		if p.Name == fleet.SharedEgressGateway {
			c.out.OpenShared = true
		} else {
			c.out.OpenLinks = append(c.out.OpenLinks, p.Labels[fleet.LabelLink])
		}
	}
	return nil
}
