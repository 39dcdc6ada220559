package activities

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// InspectCluster finds out what mesh a cluster has already, for `landbridge init`.
// It needs no more rights than reading Istio's namespace.
func (a *Activities) InspectCluster(ctx context.Context, in api.InspectClusterInput) (api.InspectClusterResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.InspectClusterResult{}, err
	}
	m, err := findMesh(ctx, c, in.Namespace, istioDataPlanePort)
	return api.InspectClusterResult{Mesh: m}, err
}

func findMesh(ctx context.Context, c *kube.Cluster, namespace string, dataPlanePort int) (api.Mesh, error) {
	var m api.Mesh
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return m, nil
	}
	if err != nil {
		return m, wrap(err, "read the namespace %s", namespace)
	}
	m.Network = ns.Labels[fleet.LabelNetwork]
	list, err := c.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return m, wrap(err, "look for istiod")
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
	m.EastWest, err = eastWestGateways(ctx, c, namespace, dataPlanePort)
	return m, err
}

func describeIstiod(ctx context.Context, c *kube.Cluster, d *appsv1.Deployment) (api.Istiod, error) {
	found := api.Istiod{Revision: revisionOf(d), Version: d.Labels["app.kubernetes.io/version"], TrustDomain: "cluster.local", By: installer(d)}
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, env := range container.Env {
			if container.Name == "discovery" && env.Name == "CLUSTER_ID" {
				found.ClusterName = env.Value
			}
		}
	}
	name := "istio"
	if found.Revision != "default" {
		name += "-" + found.Revision
	}
	cm, err := c.Client.CoreV1().ConfigMaps(d.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return found, wrap(err, "read the mesh's settings (ConfigMap %s/%s)", d.Namespace, name)
	}
	var mesh struct {
		TrustDomain   string `json:"trustDomain"`
		DefaultConfig struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
	}
	if err := yaml.Unmarshal([]byte(cm.Data["mesh"]), &mesh); err != nil {
		return found, &kube.DeadEndError{Reason: fmt.Sprintf("the mesh's settings (ConfigMap %s/%s) cannot be read: %v", d.Namespace, name, err)}
	}
	if mesh.TrustDomain != "" {
		found.TrustDomain = mesh.TrustDomain
	}
	found.MeshID = mesh.DefaultConfig.MeshID
	return found, nil
}

// revisionOf is an istiod's; one without is the default.
func revisionOf(d *appsv1.Deployment) string { return cmp.Or(d.Labels["istio.io/rev"], "default") }

func installer(d *appsv1.Deployment) string {
	switch {
	case slices.ContainsFunc(d.OwnerReferences, func(o metav1.OwnerReference) bool { return strings.HasPrefix(o.Kind, "Istio") }),
		d.Labels["managed-by"] == "sail-operator":
		return "Sail"
	case d.Labels["install.operator.istio.io/owning-resource"] != "" && d.Labels["install.operator.istio.io/owning-resource"] != "unknown":
		return "istioctl"
	case d.Labels["app.kubernetes.io/managed-by"] == "Helm":
		return "Helm"
	}
	return ""
}

// meshRoots are what istiod gives to workloads, or before it runs what a CA that
// is plugged in says.
func meshRoots(ctx context.Context, c *kube.Cluster, namespace string) ([]string, error) {
	cm, err := c.Client.CoreV1().ConfigMaps(namespace).Get(ctx, "istio-ca-root-cert", metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, wrap(err, "read the mesh's root (ConfigMap %s/istio-ca-root-cert)", namespace)
	}
	if err == nil {
		return certs.Fingerprints([]byte(cm.Data["root-cert.pem"])), nil
	}
	live, set, err := readCACerts(ctx, c, namespace)
	if err != nil || live == nil {
		return nil, err
	}
	return certs.Fingerprints(set.RootCert), nil
}

func eastWestGateways(ctx context.Context, c *kube.Cluster, namespace string, dataPlanePort int) ([]api.MeshGateway, error) {
	list, err := c.Client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, wrap(err, "list the Services of %s", namespace)
	}
	var out []api.MeshGateway
	for i := range list.Items {
		svc := &list.Items[i]
		if svc.Spec.Type != corev1.ServiceTypeLoadBalancer || !hasPort(svc, dataPlanePort) || len(svc.Spec.Selector) == 0 {
			continue
		}
		account, err := accountOf(ctx, c, namespace, svc.Spec.Selector)
		if err != nil {
			return nil, err
		}
		out = append(out, api.MeshGateway{Service: svc.Name, Labels: svc.Spec.Selector, ServiceAccount: account})
	}
	return out, nil
}

// istioDataPlanePort is Istio's port for the mesh's traffic between networks,
// where nobody said otherwise.
const istioDataPlanePort = 15443

// accountOf is the service account of the Deployment whose pods a selector finds,
// or empty.
func accountOf(ctx context.Context, c *kube.Cluster, namespace string, selector map[string]string) (string, error) {
	list, err := c.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", wrap(err, "list the Deployments of %s", namespace)
	}
	for _, d := range list.Items {
		if labels.SelectorFromSet(selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			return d.Spec.Template.Spec.ServiceAccountName, nil
		}
	}
	return "", nil
}

func showLabels(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+": "+m[k])
	}
	return "{" + strings.Join(out, ", ") + "}"
}
