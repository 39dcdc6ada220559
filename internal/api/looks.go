package api

import (
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// DriftResult lists how the live fleet differs from the fleet file.
type DriftResult struct {
	Fleet string    `json:"fleet"`
	At    time.Time `json:"at,omitzero"`
	// Applied tells which rollout the clusters were compared with. It is nil where that was
	// a fleet file.
	Applied *fleet.Applied `json:"applied,omitempty"`
	// Busy names the rollout or cleanup during which the check was made. Nothing is counted
	// then.
	Busy *LastChange `json:"busy,omitempty"`
	// Drifted says that one of the lists below is not empty.
	Drifted bool `json:"drifted"`
	// Changes lists the objects that a rollout would change, at most 500 of them;
	// Differs counts all.
	Changes []PlannedUnit `json:"changes"`
	Differs int           `json:"differs"`
	// Istio tells which versions each cluster runs.
	Istio []ClusterIstio `json:"istio,omitempty"`
	// Unreachable lists the members that did not answer, and were not compared.
	Unreachable []Failure `json:"unreachable,omitempty"`
	// Stale lists members and links that left the fleet file and still exist.
	Stale fleet.Stale `json:"stale"`
	// RootUnlike tells in what the root differs from the fleet file. No rollout changes that,
	// so that it does not count.
	RootUnlike []string `json:"rootUnlike,omitempty"`
	// Tokens tells how old the sources' tokens are, or when the first of them ends.
	Tokens Tokens `json:"tokens,omitzero"`
	// ReadsSecrets lists the clusters that, as sources, may read every Secret of their targets.
	ReadsSecrets []string `json:"readsSecrets,omitempty"`
	// Differ lists the members that remember anything else than was applied last: that
	// rollout did not reach them, or somebody changed their inventory.
	Differ []string `json:"differ,omitempty"`
	// Expiring lists certificates that end within 30 days.
	Expiring []Expiring `json:"expiring"`
	// Unproven lists the links whose proof fails.
	Unproven []CheckLinkResult `json:"unproven"`
	// Healed says that a rollout repaired the drift; NotHealed tells why one did not.
	Healed    bool   `json:"healed,omitempty"`
	NotHealed string `json:"notHealed,omitempty"`
}

// Expiring describes a certificate that ends soon. Of names its cluster, or "root".
type Expiring struct {
	Of string `json:"of"`
	CertificateFacts
}

// InspectResult describes the mesh that each cluster has already.
type InspectResult struct {
	Clusters []InspectedCluster `json:"clusters"`
}

// InspectedCluster describes the mesh of one cluster. Why tells why a cluster could not
// be read; Mesh is empty then.
type InspectedCluster struct {
	Name string `json:"name"`
	Mesh Mesh   `json:"mesh,omitzero"`
	Why  string `json:"why,omitempty"`
}

// VerifyResult holds the proof of a fleet, link by link.
type VerifyResult struct {
	Fleet string `json:"fleet"`
	// Proven says that every link is proven.
	Proven bool              `json:"proven"`
	At     time.Time         `json:"at,omitzero"`
	Links  []CheckLinkResult `json:"links"`
}

// VerifyLinksInput names one source cluster and the targets of its links.
type VerifyLinksInput struct {
	Source  ClusterRef `json:"source"`
	Targets []string   `json:"targets"`
	// TargetIDs has, for each target, the name by which Istio knows it; an empty one is
	// the target's own.
	TargetIDs []string `json:"targetIDs,omitempty"`
	// Patience limits how long each proof may take to succeed, in nanoseconds. 0 checks once.
	Patience time.Duration `json:"patience,omitempty"`
	// MaxParallel limits how many links are proven at once.
	MaxParallel int `json:"maxParallel"`
}

// Summary counts what a check found, for people: "2 changed objects, 1 unproven link".
func (r DriftResult) Summary() string {
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{
		{len(r.Unreachable), "unreachable cluster"}, {r.Differs, "changed object"}, {len(r.Expiring), "expiring certificate"}, {len(r.Unproven), "unproven link"},
		{len(r.Stale.Links), "stale link"}, {len(r.Stale.Clusters), "stale cluster"},
		{len(r.Differ), "differing inventory"},
	} {
		if c.n > 0 {
			parts = append(parts, fleet.Count(c.n, c.noun))
		}
	}
	return strings.Join(parts, ", ")
}
