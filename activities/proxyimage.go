package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// injector names the ConfigMap from which an istiod injects proxies. That of a revision
// has its name as a suffix.
const injector = "istio-sidecar-injector"

// followIstiod marks the pods of a gateway with the image that its istiod injects. A pod
// gets its proxy when it is made, and keeps that one whatever becomes of istiod: with the
// mark, another image is a change of the pods, which Helm rolls out. Before an istiod is
// there, as in the plan of a new cluster, there is no mark.
func followIstiod(ctx context.Context, w *kube.Writer, namespace string, g gatewayRelease) (gatewayRelease, error) {
	image, err := proxyImage(ctx, w.Cluster, namespace, g.settings.Istio.Rev())
	if image != "" {
		g.values = overlay(map[string]any{"podAnnotations": map[string]any{fleet.AnnotationProxy: image}}, g.values)
	}
	return g, err
}

// proxyImage returns the image that the istiod of a revision injects as the proxy, or
// nothing where it does not say.
func proxyImage(ctx context.Context, c *kube.Cluster, namespace, revision string) (string, error) {
	name := injector
	if revision != fleet.DefaultRevision {
		name += "-" + revision
	}
	cm, err := c.Client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the image of gateways (ConfigMap %s/%s): %w", namespace, name, err)
	}
	var values struct {
		Global struct {
			Hub     string `json:"hub"`
			Tag     any    `json:"tag"`
			Variant string `json:"variant"`
			Proxy   struct {
				Image string `json:"image"`
			} `json:"proxy"`
		} `json:"global"`
	}
	if err := json.Unmarshal([]byte(cm.Data["values"]), &values); err != nil {
		return "", nil // istiod could not inject with it either
	}
	g := values.Global
	image := cmp.Or(g.Proxy.Image, "proxyv2")
	if strings.Contains(image, "/") {
		return image, nil // Istio takes it as it is
	}
	if g.Tag == nil {
		return "", nil
	}
	return strings.TrimSuffix(fmt.Sprintf("%s/%s:%v-%s", g.Hub, image, g.Tag, g.Variant), "-"), nil
}
