package preflight

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"istio.io/api/annotation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// podsAtOnce limits how many pods one request reads: a cluster may have very many.
const podsAtOnce = 500

// FindWorkloads counts, by namespace, the pods that run outside Istio's own and are in the
// mesh of one of the revisions: those whose sidecar its istiod injected (which it notes in the
// annotation sidecar.istio.io/status), and those whose traffic Istio's CNI plugin leads
// through ztunnel (ambient.istio.io/redirection), which has no revision.
func FindWorkloads(ctx context.Context, c *kube.Cluster, namespace string, revisions []string) ([]api.Workloads, error) {
	pods := map[string]int{}
	look := metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed", Limit: podsAtOnce}
	for {
		list, err := c.In(kinds.Pods, "").List(ctx, look)
		if err != nil {
			return nil, fmt.Errorf("look for workloads in the mesh: %w", err)
		}
		for _, p := range list.Items {
			if p.GetNamespace() != namespace && inMesh(p.GetAnnotations(), revisions) {
				pods[p.GetNamespace()]++
			}
		}
		if look.Continue = list.GetContinue(); look.Continue == "" {
			break
		}
	}
	var out []api.Workloads
	for _, ns := range slices.Sorted(maps.Keys(pods)) {
		out = append(out, api.Workloads{Namespace: ns, Pods: pods[ns]})
	}
	return out, nil
}

// inMesh reads a pod's annotations.
func inMesh(notes map[string]string, revisions []string) bool {
	if notes[annotation.AmbientRedirection.Name] == "enabled" {
		return true
	}
	var sidecar struct{ Revision string }
	status := notes[annotation.SidecarStatus.Name]
	if status == "" || json.Unmarshal([]byte(status), &sidecar) != nil {
		return false
	}
	return slices.Contains(revisions, cmp.Or(sidecar.Revision, fleet.DefaultRevision))
}
