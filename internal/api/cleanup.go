package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupResult tells what a cleanup removed, or would remove.
type CleanupResult struct {
	Fleet    string   `json:"fleet"`
	Clusters []string `json:"clusters"`
	Removed  int      `json:"removed"`
	// Objects are what a dry run would remove.
	Objects []ClusterObject `json:"objects,omitempty"`
}

// ClusterObject names an object of a cluster. Cluster is empty for a root that a worker
// keeps.
type ClusterObject struct {
	Cluster   string `json:"cluster,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// CleanupInput is one cluster of a cleanup.
type CleanupInput struct {
	ClusterRef ClusterRef    `json:"cluster"`
	Rollout    fleet.Rollout `json:"rollout"`
	// KeepIstio and KeepCA say what was there before and stays.
	KeepIstio bool `json:"keepIstio,omitempty"`
	KeepCA    bool `json:"keepCA,omitempty"`
}

// CleanupLinkInput is one link that left the fleet file.
type CleanupLinkInput struct {
	Source  ClusterRef    `json:"source"`
	Target  ClusterRef    `json:"target"`
	Link    fleet.Link    `json:"link"`
	Rollout fleet.Rollout `json:"rollout"`
}
