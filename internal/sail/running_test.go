package sail_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/sail"
)

// pod is a ready pod of Istio's namespace.
func pod(name, container, image string, labels map[string]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name, Labels: labels}}
	p.Spec.Containers = []corev1.Container{{Name: "other", Image: "x:v9.9.9"}, {Name: container, Image: image}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return p
}

func istiodPod(name, image string, more ...string) *corev1.Pod {
	labels := map[string]string{"app": "istiod", "istio.io/rev": "default"}
	for i := 0; i+1 < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return pod(name, "discovery", image, labels)
}

func TestVersions_WhatRuns_NotWhatASpecSays(t *testing.T) {
	const label = "app.kubernetes.io/version"
	gateway := func(name, image string) *corev1.Pod {
		return pod(name, "istio-proxy", image, map[string]string{fleet.LabelFleet: "prod"})
	}
	late := istiodPod("new", "docker.io/istio/pilot:1.30.7")
	late.Status.Conditions[0].Status = corev1.ConditionFalse
	for name, c := range map[string]struct {
		pods     []*corev1.Pod
		revision string
		want     sail.Running
	}{
		"nothing":                           {nil, "", sail.Running{}},
		"the oldest of several":             {[]*corev1.Pod{istiodPod("a", "x/pilot:1.31.3"), istiodPod("b", "x/pilot:1.30.10"), istiodPod("c", "x/pilot:1.31.0")}, "", sail.Running{Istiod: "v1.30.10"}},
		"one that is not ready":             {[]*corev1.Pod{istiodPod("old", "x/pilot:1.31.3"), late}, "", sail.Running{Istiod: "v1.31.3"}},
		"a digest":                          {[]*corev1.Pod{istiodPod("a", "r.example:5000/pilot@sha256:00", label, "1.26.4")}, "", sail.Running{Istiod: "v1.26.4"}},
		"a tag and a digest":                {[]*corev1.Pod{istiodPod("a", "x/pilot:1.26.4@sha256:00", label, "1.0.0")}, "", sail.Running{Istiod: "v1.26.4"}},
		"a tag of somebody's own":           {[]*corev1.Pod{istiodPod("a", "x/pilot:mine", label, "1.31.2")}, "", sail.Running{Istiod: "v1.31.2"}},
		"a variant":                         {[]*corev1.Pod{istiodPod("a", "x/pilot:1.31.2-distroless")}, "", sail.Running{Istiod: "v1.31.2"}},
		"no version at all":                 {[]*corev1.Pod{istiodPod("a", "x/pilot")}, "", sail.Running{}},
		"another revision":                  {[]*corev1.Pod{istiodPod("a", "x/pilot:1.31.2"), istiodPod("b", "x/pilot:1.29.0", "istio.io/rev", "old")}, "default", sail.Running{Istiod: "v1.31.2"}},
		"gateways, and a proxy of others":   {[]*corev1.Pod{gateway("a", "x/proxyv2:1.31.3"), gateway("b", "x/proxyv2:1.31.2"), pod("c", "istio-proxy", "x/proxyv2:1.2.3", nil)}, "", sail.Running{Gateways: "v1.31.2"}},
		"a gateway that nobody injected":    {[]*corev1.Pod{gateway("a", "auto")}, "", sail.Running{}},
		"an istiod beside one without ones": {[]*corev1.Pod{istiodPod("a", "x/pilot:latest"), istiodPod("b", "x/pilot:1.31.2")}, "", sail.Running{Istiod: "v1.31.2"}},
	} {
		ns := strings.ReplaceAll(name, " ", "-") // a namespace of its own
		for _, p := range c.pods {
			p.Namespace = ns
			fake.Put(p)
		}
		got, err := sail.Versions(t.Context(), fake.Cluster, sail.Installation{Namespace: ns, CNINamespace: ns}, c.revision, "prod")
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
}

func TestVersions_OfTheCNIPlugin(t *testing.T) {
	w := installed()
	w.Put(cniPods(func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers = []corev1.Container{{Name: "install-cni", Image: "docker.io/istio/install-cni:1.31.3"}}
	}))
	got, err := sail.Versions(t.Context(), w.Cluster, installation, "", "prod")
	require.NoError(t, err)
	require.Equal(t, "v1.31.3", got.CNI)
}
