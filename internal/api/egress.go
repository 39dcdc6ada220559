package api

import "github.com/landbridge/landbridge/internal/fleet"

// CheckEgressInput names a source, the mode that its egress gateway is to have, and the targets
// of its links.
type CheckEgressInput struct {
	ClusterRef
	Mode    fleet.EgressMode `json:"mode,omitempty"`
	Targets []string         `json:"targets"`
}

// CheckEgressResult tells what a source has for each of the targets, in their order.
type CheckEgressResult struct {
	// Ports that a shared egress gateway has for them: those of before, and free ones for the
	// others. It is empty for EgressPerLink.
	Ports []int `json:"ports,omitempty"`
	// Leaves says which of the links have what belongs to the other mode.
	Leaves []bool `json:"leaves,omitempty"`
}

// EnsureSharedEgressInput describes the egress gateway that all links of a source share.
type EnsureSharedEgressInput struct {
	ClusterRef
	GatewaySettings
}

// RetireEgressInput names a link whose source leaves the other mode for this one. Its ref is the
// source.
type RetireEgressInput struct {
	LinkRef
	Mode fleet.EgressMode `json:"mode,omitempty"`
}
