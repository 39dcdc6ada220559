package activities

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// dualStack names Istio's setting without which its proxies listen on IPv4 only where a pod
// has both families: then nothing answers where a Service leads to the pod's IPv6.
const dualStack = "ISTIO_DUAL_STACK"

// checkFamilies refuses a gateway that would not answer where its Service leads, and so would
// never be ready or would lose half of the connections.
func checkFamilies(ctx context.Context, w *kube.Writer, namespace string, g gatewayRelease) error {
	list, err := w.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return wrap(err, "list the pods of istiod in %s", namespace)
	}
	istiods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		rev, told := p.Labels["istio.io/rev"]
		return !kube.PodReady(&p) || told && rev != g.settings.Istio.Rev()
	})
	for i := range istiods {
		p := &istiods[i]
		if len(p.Status.PodIPs) < 2 || !g.dualStack && !isIPv6(p.Status.PodIPs[0].IP) || servesBoth(p) {
			return nil
		}
	}
	if len(istiods) == 0 {
		return nil
	}
	return &kube.DeadEndError{Reason: fmt.Sprintf("pods of this cluster have IPv4 and IPv6, the Service of %s leads to IPv6, and istiod (pod %s) has proxies listen on IPv4 only; "+
		"set gateways.eastWest.service.ipFamilyPolicy: PreferDualStack, or pilot.env.%s in an Istio that Landbridge does not install", g.name, istiods[0].Name, dualStack)}
}

func isIPv6(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && addr.Unmap().Is6()
}

// servesBoth says whether an istiod has the setting, or may have it from elsewhere.
func servesBoth(istiod *corev1.Pod) bool {
	for _, c := range istiod.Spec.Containers {
		if len(c.EnvFrom) > 0 {
			return true
		}
		for _, e := range c.Env {
			if on, err := strconv.ParseBool(e.Value); e.Name == dualStack && (e.ValueFrom != nil || err == nil && on) {
				return true
			}
		}
	}
	return false
}
