package activities

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// WaitIstio waits until Sail reports IstioCNI and Istio ready and healthy in their
// current generation. It ends early, with Sail's own message, where nothing can
// change any more.
func (a *Activities) WaitIstio(ctx context.Context, in api.WaitIstioInput) (api.WaitIstioResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.WaitIstioResult{}, err
	}
	state := ""
	err = kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		for _, r := range []kinds.Resource{kinds.IstioCNIs, kinds.Istios} {
			obj, err := c.Get(ctx, r, "", in.Name)
			if err != nil {
				return "", false, err
			}
			waiting, err := sailReady(obj)
			if waiting != "" || err != nil {
				return waiting, false, err
			}
			state, _, _ = unstructured.NestedString(obj.Object, "status", "state")
		}
		return "", true, nil
	})
	return api.WaitIstioResult{State: state}, err
}

// sailReady returns what a Sail resource still waits for, or nothing when it is
// ready. A resource without conditions is not ready: Sail has not looked at it yet.
func sailReady(obj *unstructured.Unstructured) (waiting string, err error) {
	what := obj.GetKind() + " " + obj.GetName()
	observed, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if observed != obj.GetGeneration() {
		return what + " has not been looked at by Sail yet", nil
	}
	state, _, _ := unstructured.NestedString(obj.Object, "status", "state")
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	ready, why := false, ""
	for _, c := range conditions {
		cond, _ := c.(map[string]any)
		typ, _ := cond["type"].(string)
		status, _ := cond["status"].(string)
		reason, _ := cond["reason"].(string)
		message, _ := cond["message"].(string)
		if typ == "Reconciled" && status == "False" && isDeadEnd(reason, message) {
			return "", &kube.DeadEndError{Reason: fmt.Sprintf("Sail cannot install %s: %s: %s", what, reason, message)}
		}
		if typ == "Ready" {
			ready = status == "True"
		}
		if status == "False" && message != "" {
			why = ": " + reason + ": " + message
		}
	}
	if ready && state == "Healthy" {
		return "", nil
	}
	return fmt.Sprintf("%s is %s%s", what, cmp.Or(state, "in no known state"), why), nil
}

// isDeadEnd recognizes the reconcile errors that waiting does not repair: a version
// that Sail has dropped, and a namespace that is missing.
func isDeadEnd(reason, message string) bool {
	return reason == "ReconcileError" && (strings.Contains(message, "end-of-life") || strings.Contains(message, "namespace"))
}
