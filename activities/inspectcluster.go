package activities

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/preflight"
)

// InspectCluster finds the mesh that a cluster has already, and what somebody made
// of it by the guide, for `landbridge init`.
func (a *Activities) InspectCluster(ctx context.Context, in api.InspectClusterInput) (api.InspectClusterResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.InspectClusterResult{}, err
	}
	m, err := preflight.FindMesh(ctx, c, in.Namespace, fleet.DefaultDataPlanePort)
	if err != nil {
		return api.InspectClusterResult{}, err
	}
	if m.Guide, err = preflight.FindGuide(ctx, c, in.Namespace); m.Guide != nil && err == nil {
		m.Guide.Platform, err = gatewayPlatform(ctx, c, in.Namespace)
	}
	return api.InspectClusterResult{Mesh: m}, err
}

// gatewayPlatform returns what the chart of a person's east-west gateway was told of the
// platform.
func gatewayPlatform(ctx context.Context, c *kube.Cluster, namespace string) (string, error) {
	releases, err := chart.Open(ctx, &kube.Writer{Cluster: c}, namespace)
	if err != nil {
		return "", err
	}
	values, err := releases.Values(fleet.EastWestGateway)
	platform, _, _ := unstructured.NestedString(values, "global", "platform")
	return platform, err
}
