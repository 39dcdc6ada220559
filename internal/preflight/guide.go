package preflight

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// guideGateway is the name that the guide gives the Gateway of step 8.
const guideGateway = "east-west"

// FindGuide finds what a person made of a cluster's mesh by the guide, of which the
// Gateway for kube-apiserver is the sign, or returns nil.
func FindGuide(ctx context.Context, c *kube.Cluster, namespace string) (*api.GuideMesh, error) {
	gateway, err := c.Get(ctx, kinds.IstioGateways, namespace, guideGateway)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Gateway %s/%s: %w", namespace, guideGateway, err)
	}
	if gateway.GetLabels()[fleet.LabelFleet] != "" {
		return nil, nil
	}
	found, exposes := &api.GuideMesh{}, false
	servers, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "servers")
	for _, s := range servers {
		server, _ := s.(map[string]any)
		hosts, _, _ := unstructured.NestedStringSlice(server, "hosts")
		switch mode, _, _ := unstructured.NestedString(server, "tls", "mode"); mode {
		case "AUTO_PASSTHROUGH":
			found.DataPlaneHosts = append(found.DataPlaneHosts, hosts...)
		case "ISTIO_MUTUAL":
			exposes = exposes || len(hosts) == 1 && strings.HasPrefix(hosts[0], "kube-apiserver-")
		}
	}
	if !exposes {
		return nil, nil
	}
	plugged, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, fleet.CACerts, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read Secret %s/%s: %w", namespace, fleet.CACerts, err)
	}
	if err == nil {
		if facts, err := certs.Describe(certs.CACertsFrom(plugged.Data).CACert); err == nil {
			found.IntermediateEnds = facts.NotAfter
		}
	}
	return found, nil
}
