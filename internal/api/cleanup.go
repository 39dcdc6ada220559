package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupResult tells what a cleanup removed, or would remove.
type CleanupResult struct {
	Fleet    string   `json:"fleet"`
	Clusters []string `json:"clusters"`
	// Removed counts the objects that were removed, or that a dry run would remove.
	Removed int `json:"removed"`
	// GivenBack counts those that somebody had made before, and got back as they were.
	GivenBack int `json:"givenBack,omitempty"`
	// Objects lists what a dry run would remove. A cleanup that removes leaves it empty.
	Objects []ClusterObject `json:"objects,omitempty"`
	// Refused tells, after a dry run, why a cleanup would remove nothing.
	Refused string `json:"refused,omitempty"`
	// Workloads counts the pods that are in the mesh of a control plane that goes.
	Workloads []Workloads `json:"workloads,omitempty"`
	// Skipped lists the clusters that somebody decided to leave as they are.
	Skipped []Unit `json:"skipped,omitempty"`
	// Decisions tell who steered the cleanup, when and why.
	Decisions []Decision `json:"decisions,omitempty"`
	// Unscheduled says that the fleet had a schedule, which was deleted.
	Unscheduled bool `json:"unscheduled,omitempty"`
}

// ClusterObject names an object of a cluster. Cluster is empty for a root that a worker
// keeps in its directory.
type ClusterObject struct {
	Cluster   string `json:"cluster,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Note says what becomes of it, where it is not deleted.
	Note string `json:"note,omitempty"`
}

// CleanupInput starts CleanupLinks and CleanupCluster on one cluster.
type CleanupInput struct {
	ClusterRef ClusterRef    `json:"cluster"`
	Rollout    fleet.Rollout `json:"rollout"`
	// KeepIstio and KeepCA leave an existing Istio or CA alone.
	KeepIstio bool `json:"keepIstio,omitempty"`
	KeepCA    bool `json:"keepCA,omitempty"`
}

// CleanupLinkInput names one link that left the fleet file, for CleanupLink.
type CleanupLinkInput struct {
	Source  ClusterRef    `json:"source"`
	Target  ClusterRef    `json:"target"`
	Link    fleet.Link    `json:"link"`
	Rollout fleet.Rollout `json:"rollout"`
	// Lost names the one of its clusters that is lost for good: nothing is tried there, and
	// nothing of it is missed.
	Lost string `json:"lost,omitempty"`
}
