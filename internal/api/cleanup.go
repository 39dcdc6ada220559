package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupResult is what a cleanup took away.
type CleanupResult struct {
	Fleet    string   `json:"fleet"`
	Clusters []string `json:"clusters"`
	Removed  int      `json:"removed"`
	// Objects are what a dry run would remove.
	Objects []ClusterObject `json:"objects,omitempty"`
}

// ClusterObject is an object of a cluster, by its name; the root's cluster is
// empty where a worker keeps it.
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
