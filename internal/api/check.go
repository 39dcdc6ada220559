package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// PreflightResult tells whether a rollout could begin, and what stands in its way.
type PreflightResult struct {
	Fleet string    `json:"fleet"`
	At    time.Time `json:"at,omitzero"`
	// Ready says that nothing stands in the way of a rollout.
	Ready    bool             `json:"ready"`
	Clusters []CheckedCluster `json:"clusters"`
	// Resolved has the fleet with the clusters that its sources list, where only that was asked.
	Resolved *fleet.Fleet `json:"resolved,omitempty"`
	// Problems lists what no check of one cluster tells: that a cluster does not answer, and
	// what clusters have in the way of each other.
	Problems []Failure `json:"problems"`
}

// CheckedCluster tells what the preflight found on one cluster.
type CheckedCluster struct {
	Name string `json:"name"`
	// Version of its API server.
	Version string `json:"version,omitempty"`
	// Checks lists those that were made, in their order. It is empty where the cluster does not
	// answer.
	Checks []Checked `json:"checks"`
}

// Checked names one check of the preflight on one cluster.
type Checked struct {
	Name string `json:"name"`
	// Problems holds a sentence for each problem, which ends with what to do.
	Problems []string `json:"problems,omitempty"`
}

// OK tells whether the check found no problem.
func (c Checked) OK() bool { return len(c.Problems) == 0 }
