package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	// rootConfigMap is Istio's name for the ConfigMap with the root that it gives to
	// workloads.
	rootConfigMap = "istio-ca-root-cert"
	// defaultTrustDomain is Istio's, where nobody chose one.
	defaultTrustDomain = "cluster.local"
)

// FindMesh finds the mesh that a cluster has already. It needs no more rights than
// reading Istio's namespace. A namespace that is missing has none.
func FindMesh(ctx context.Context, c *kube.Cluster, namespace string, dataPlanePort int) (m api.Mesh, err error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read the namespace %s: %w", namespace, err)
	}
	m.Network = ns.Labels[fleet.LabelNetwork]
	list, err := c.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return m, fmt.Errorf("look for istiod: %w", err)
	}
	for i := range list.Items {
		found, err := describeIstiod(ctx, c, &list.Items[i])
		if err != nil {
			return m, err
		}
		m.Istiods = append(m.Istiods, found)
	}
	if m.Roots, err = meshRoots(ctx, c, namespace); err != nil {
		return m, err
	}
	m.EastWest, err = eastWestGateways(ctx, c, namespace, dataPlanePort, corev1.ServiceTypeLoadBalancer)
	return m, err
}

// describeIstiod reads what an istiod calls its cluster and mesh, from its
// Deployment and its settings.
func describeIstiod(ctx context.Context, c *kube.Cluster, d *appsv1.Deployment) (api.Istiod, error) {
	found := api.Istiod{Revision: revisionOf(d), Version: d.Labels["app.kubernetes.io/version"], ClusterName: clusterID(d), TrustDomain: defaultTrustDomain, By: installer(d)}
	found.Domain = otherDomain(d)
	name := "istio"
	if found.Revision != fleet.DefaultRevision {
		name += "-" + found.Revision
	}
	cm, err := c.Client.CoreV1().ConfigMaps(d.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return found, fmt.Errorf("read the mesh's settings (ConfigMap %s/%s): %w", d.Namespace, name, err)
	}
	if err := readSettings(&found, cm.Data["mesh"]); err != nil {
		return found, &kube.DeadEndError{Reason: fmt.Sprintf("the mesh's settings (ConfigMap %s/%s) cannot be read: %v", d.Namespace, name, err)}
	}
	return found, nil
}

// readSettings takes over what the mesh's settings say.
func readSettings(i *api.Istiod, text string) error {
	var mesh struct {
		TrustDomain   string `json:"trustDomain"`
		DefaultConfig struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
	}
	if err := yaml.Unmarshal([]byte(text), &mesh); err != nil {
		return err
	}
	i.TrustDomain, i.MeshID = cmp.Or(mesh.TrustDomain, i.TrustDomain), mesh.DefaultConfig.MeshID
	return nil
}

// clusterID returns the name by which an istiod knows its own cluster.
func clusterID(d *appsv1.Deployment) string {
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, env := range container.Env {
			if container.Name == "discovery" && env.Name == "CLUSTER_ID" {
				return env.Value
			}
		}
	}
	return ""
}

// otherDomain returns the domain that an istiod was started with, unless it is the
// usual one.
func otherDomain(d *appsv1.Deployment) string {
	for _, container := range d.Spec.Template.Spec.Containers {
		for i, arg := range container.Args {
			domain, one := strings.CutPrefix(arg, "--domain=")
			if arg == "--domain" && i+1 < len(container.Args) {
				domain, one = container.Args[i+1], true
			}
			if container.Name == "discovery" && one && domain != fleet.ClusterDomain {
				return domain
			}
		}
	}
	return ""
}

// revisionOf returns an istiod's revision.
func revisionOf(d *appsv1.Deployment) string {
	return cmp.Or(d.Labels["istio.io/rev"], fleet.DefaultRevision)
}

// installer names what installed an istiod, where its labels tell.
func installer(d *appsv1.Deployment) string {
	operator := d.Labels["install.operator.istio.io/owning-resource"]
	switch {
	case slices.ContainsFunc(d.OwnerReferences, func(o metav1.OwnerReference) bool { return strings.HasPrefix(o.Kind, "Istio") }),
		d.Labels["managed-by"] == "sail-operator":
		return "Sail"
	case operator != "" && operator != "unknown":
		return "istioctl"
	case d.Labels["app.kubernetes.io/managed-by"] == "Helm":
		return "Helm"
	}
	return ""
}

// meshRoots returns the fingerprints of the roots that istiod gives to workloads, or
// before it runs those of a CA that is plugged in.
func meshRoots(ctx context.Context, c *kube.Cluster, namespace string) ([]string, error) {
	cm, err := c.Client.CoreV1().ConfigMaps(namespace).Get(ctx, rootConfigMap, metav1.GetOptions{})
	if err == nil {
		return certs.Fingerprints([]byte(cm.Data["root-cert.pem"])), nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read the mesh's root (ConfigMap %s/%s): %w", namespace, rootConfigMap, err)
	}
	s, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, fleet.CACerts, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s/%s: %w", namespace, fleet.CACerts, err)
	}
	return certs.Fingerprints(certs.CACertsFrom(s.Data).RootCert), nil
}
