package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// DriftResult is in what the live fleet is not what the fleet file says.
type DriftResult struct {
	Fleet string    `json:"fleet"`
	At    time.Time `json:"at"`
	// Drifted says that anything below is not empty.
	Drifted bool `json:"drifted"`
	// Changes are the objects that a rollout would change, Differs how many there are.
	Changes []PlannedUnit `json:"changes"`
	Differs int           `json:"differs"`
	// Stale left the fleet file and is still there.
	Stale fleet.Stale `json:"stale"`
	// Expiring are certificates that end within 30 days.
	Expiring []Expiring `json:"expiring"`
	// Unproven are the links whose proof fails.
	Unproven []CheckLinkResult `json:"unproven"`
	// Healed says that a rollout put it right; NotHealed why it did not.
	Healed    bool   `json:"healed,omitempty"`
	NotHealed string `json:"notHealed,omitempty"`
}

// Expiring is a certificate that ends soon.
type Expiring struct {
	Of string `json:"of"`
	CertificateFacts
}

// InspectResult is what mesh each cluster has already.
type InspectResult struct {
	Clusters []InspectedCluster `json:"clusters"`
}

// InspectedCluster is one cluster; Why says why it could not be looked at.
type InspectedCluster struct {
	Name string `json:"name"`
	Mesh Mesh   `json:"mesh,omitzero"`
	Why  string `json:"why,omitempty"`
}

// VerifyResult is the proof of a fleet, link by link.
type VerifyResult struct {
	Fleet string `json:"fleet"`
	// Proven says that every link is.
	Proven bool              `json:"proven"`
	At     time.Time         `json:"at"`
	Links  []CheckLinkResult `json:"links"`
}

// VerifyLinksInput is one source cluster with the targets of its links.
type VerifyLinksInput struct {
	Source      ClusterRef `json:"source"`
	Targets     []string   `json:"targets"`
	MaxParallel int        `json:"maxParallel"`
}
