package preflight

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/fleet"
)

// checkEgress finds out which modes of egress gateways the cluster has. A rollout that changes
// the mode, or that goes on where one before it ended, removes those of the other mode.
func (c *cluster) checkEgress(ctx context.Context) error {
	of := labels.Set{fleet.LabelFleet: c.claim.Fleet, fleet.LabelComponent: fleet.ComponentEgress}
	list, err := c.Client.AppsV1().Deployments(c.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: of.String()})
	if apierrors.IsNotFound(err) {
		return nil // the namespace is still to be made
	}
	if err != nil {
		return fmt.Errorf("list the egress gateways in %s: %w", c.in.Namespace, err)
	}
	for i := range list.Items {
		mode := fleet.EgressPerLink
		if list.Items[i].Name == fleet.SharedEgressGateway {
			mode = fleet.EgressShared
		}
		if !slices.Contains(c.out.EgressModes, mode) {
			c.out.EgressModes = append(c.out.EgressModes, mode)
		}
	}
	return nil
}
