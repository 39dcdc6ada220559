package kube

import (
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// complaints lists what is wrong by an object's own conditions, after a colon.
func complaints(obj *unstructured.Unstructured) string {
	with, err := status.GetObjectWithConditions(obj.Object)
	if err != nil {
		return ""
	}
	var out []string
	for _, c := range with.Status.Conditions {
		// A condition is good when it is true, but for those that name a failure: one of a
		// Deployment's and of a Service's do, and all of a namespace's.
		failure := strings.HasSuffix(c.Type, "Failure") || strings.HasSuffix(c.Type, "Error") || strings.HasPrefix(c.Type, "Namespace")
		good := (c.Status == corev1.ConditionTrue) != failure
		if !good && c.Message != "" {
			out = append(out, strings.TrimSuffix(c.Message, "."))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}
