package kube

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
)

// Fixed names the first field that is wanted in another way than the live object has it and
// that Kubernetes changes of no object of this kind, or returns "". Such an object is made
// anew. What the API server would refuse is known before it is asked: a plan says so.
func Fixed(kind string, live, want map[string]any) string {
	for _, field := range fixed[kind] {
		at := strings.Split(field, ".")
		w, wanted, _ := unstructured.NestedFieldNoCopy(want, at...)
		l, _, _ := unstructured.NestedFieldNoCopy(live, at...)
		if wanted && difference(viaJSON(l), viaJSON(w)) != "" {
			return field
		}
	}
	// Somebody may have set immutable on an object of ours.
	if sealed, _, _ := unstructured.NestedBool(live, "immutable"); sealed {
		for _, field := range []string{"data", "binaryData"} {
			if w, wanted := want[field]; wanted && difference(viaJSON(live[field]), viaJSON(w)) != "" {
				return field
			}
		}
	}
	return ""
}

// fixed lists such fields of what we and the gateway chart write. A Deployment's selector
// and a headless Service come from a chart that somebody brings.
var fixed = map[string][]string{
	kinds.ClusterRoleBindings.Kind: {"roleRef"},
	kinds.RoleBindings.Kind:        {"roleRef"},
	kinds.Secrets.Kind:             {"type"},
	kinds.Deployments.Kind:         {"spec.selector"},
	kinds.Services.Kind:            {"spec.clusterIP"},
}

// MadeAnew says in a plan that an object is made anew for a field.
func MadeAnew(field string) string { return "made anew: " + field + " cannot be changed in place" }

// removeForAnew deletes an object and waits until its name is free.
func (w *Writer) removeForAnew(ctx context.Context, res kinds.Resource, live *unstructured.Unstructured) error {
	if w.DryRun {
		return nil
	}
	if err := w.deleteExactly(ctx, res, live); err != nil {
		return err
	}
	return w.WaitGone(ctx, res, live)
}
