package api

import "github.com/landbridge/landbridge/internal/fleet"

// ResolveClustersInput holds a fleet whose clusters are, in part, kept elsewhere.
type ResolveClustersInput struct {
	ClusterRef
	Fleet fleet.Fleet `json:"fleet"`
}

// ResolveClustersResult holds the clusters that the sources of a fleet list, and nothing of
// their credentials.
type ResolveClustersResult struct {
	Clusters []fleet.Cluster `json:"clusters,omitempty"`
	// Empty lists the sources that list no cluster, and Passed the objects that are none now,
	// with the reason.
	Empty  []string `json:"empty,omitempty"`
	Passed []string `json:"passed,omitempty"`
}

// FoundCluster tells by which object a cluster was found, and whether no run has changed it yet.
type FoundCluster struct {
	Name   string `json:"name"`
	From   string `json:"from"`
	Joined bool   `json:"joined,omitempty"`
}

// ManagementRef returns the reference of an activity that reads the management cluster.
func (in FleetInput) ManagementRef(run string) ClusterRef {
	return in.Ref(fleet.Cluster{TaskQueue: in.Fleet.Spec.Management.TaskQueue}, run)
}
