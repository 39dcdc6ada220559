package kube

import (
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// complaints lists what is wrong by an object's own conditions, after a colon. Of a
// namespace it gives the condition's type too, since people search for it.
func complaints(obj *unstructured.Unstructured) string {
	with, err := status.GetObjectWithConditions(obj.Object)
	if err != nil {
		return ""
	}
	var out []string
	for _, c := range with.Status.Conditions {
		// A condition is good when it is true, but for those that name a failure: one of a
		// Deployment's and of a Service's do, and all of a namespace's.
		ofNamespace := strings.HasPrefix(c.Type, "Namespace")
		failure := strings.HasSuffix(c.Type, "Failure") || strings.HasSuffix(c.Type, "Error") || ofNamespace
		good := (c.Status == corev1.ConditionTrue) != failure
		if good || c.Message == "" {
			continue
		}
		message := strings.TrimSuffix(c.Message, ".")
		if ofNamespace {
			message = c.Type + ": " + message
		}
		out = append(out, message)
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}

// PodReady returns whether a Service leads to a pod: it is ready, and is not being deleted.
func PodReady(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
