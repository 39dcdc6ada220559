package api

import (
	"fmt"
	"strings"

	"github.com/landbridge/landbridge/internal/fleet"
)

// CheckWorkloadsInput names a cluster whose control plane is to go.
type CheckWorkloadsInput struct {
	ClusterRef
	// Istio names the Istio resource of that control plane.
	Istio string `json:"istio"`
}

// CheckWorkloadsResult counts the pods that are in the mesh of that control plane.
type CheckWorkloadsResult struct {
	Workloads []Workloads `json:"workloads,omitempty"`
}

// Workloads counts the pods of one namespace that are in a mesh.
type Workloads struct {
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace"`
	Pods      int    `json:"pods"`
}

// StillInMesh says which pods would lose their control plane, and what to do.
func StillInMesh(list []Workloads) string {
	var where []string
	for _, w := range list {
		where = append(where, fmt.Sprintf("namespace %s of %s (%s)", w.Namespace, w.Cluster, fleet.Count(w.Pods, "pod")))
	}
	return "workloads are in the mesh of a control plane that would go, and their sidecars would get no certificates and no endpoints any more: " +
		strings.Join(where, ", ") + "; take them out of the mesh first, or give --force"
}
