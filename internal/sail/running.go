package sail

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// cniDaemonSet is the name that Istio's chart gives to the CNI plugin.
const cniDaemonSet = "istio-cni-node"

// Running holds the versions of Istio that run in a cluster, whatever a spec says: the
// oldest one of each part. A part that does not run, or does not tell, has none.
type Running struct{ Istiod, CNI, Gateways string }

// Versions finds out which versions run: that of every istiod of a revision ("" means
// any), of the CNI plugin, and of a fleet's gateways. Pods that are not ready do not
// count: what replaces a version is not there yet.
func Versions(ctx context.Context, c *kube.Cluster, in Installation, revision, fleetName string) (out Running, err error) {
	istiods := fleet.IstiodPods
	if revision != "" {
		istiods += ",istio.io/rev=" + revision
	}
	if out.Istiod, err = oldest(ctx, c, in.Namespace, istiods, "discovery"); err != nil {
		return out, err
	}
	gateways := labels.Set{fleet.LabelFleet: fleetName}.String()
	if out.Gateways, err = oldest(ctx, c, in.Namespace, gateways, "istio-proxy"); err != nil || in.CNINamespace == "" {
		return out, err
	}
	ds, err := c.Client.AppsV1().DaemonSets(in.CNINamespace).Get(ctx, cniDaemonSet, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read the version of the CNI plugin: %w", err)
	}
	out.CNI = versionOf(ds.Spec.Template.Labels, ds.Spec.Template.Spec.Containers, "install-cni")
	return out, nil
}

// oldest returns the oldest version of the ready pods that a selector finds.
func oldest(ctx context.Context, c *kube.Cluster, namespace, selector, container string) (version string, err error) {
	list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return "", fmt.Errorf("read the versions of the pods with %s: %w", selector, err)
	}
	var first fleet.IstioVersion
	for i := range list.Items {
		p := &list.Items[i]
		s := versionOf(p.Labels, p.Spec.Containers, container)
		v, ok := fleet.ParseIstioVersion(s)
		if ok && kube.PodReady(p) && (version == "" || v.Compare(first) < 0) {
			version, first = s, v
		}
	}
	return version, nil
}

// versionOf returns the version of a pod as Sail names versions. The tag of its image
// says it, and where that is a digest or somebody's own, Istio's label.
func versionOf(podLabels map[string]string, containers []corev1.Container, container string) string {
	for _, c := range containers {
		image, _, _ := strings.Cut(c.Image, "@")
		tag := image[strings.LastIndex(image, ":")+1:]
		if _, ok := fleet.ParseIstioVersion(tag); ok && c.Name == container {
			return "v" + strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(tag, "-distroless"), "-debug"), "v")
		}
	}
	label := podLabels["app.kubernetes.io/version"]
	if _, ok := fleet.ParseIstioVersion(label); !ok {
		return ""
	}
	return "v" + strings.TrimPrefix(label, "v")
}
