package api

import (
	"fmt"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// ForgetResult tells what ForgetFleet removed of a member that is lost for good, and what
// that member still has.
type ForgetResult struct {
	Fleet   string `json:"fleet"`
	Cluster string `json:"cluster"`
	// Clusters lists the members that remembered it, and do so no more.
	Clusters []string `json:"clusters"`
	// Removed counts the objects that were removed, or that a dry run would remove.
	Removed int `json:"removed"`
	// Objects lists what a dry run would remove.
	Objects []ClusterObject `json:"objects,omitempty"`
	// Revoked lists the members whose tokens it has, and which refuse these now.
	Revoked []string `json:"revoked"`
	// Unrevoked lists the members that had a token of it, which nobody could revoke.
	Unrevoked []string `json:"unrevoked"`
	// There lists what it still has.
	There []StillThere `json:"there"`
	// KeptRoot says that it kept the fleet's root.
	KeptRoot bool `json:"keptRoot,omitempty"`
}

// StillThere names the steps of a unit whose objects the forgotten member still has.
type StillThere struct {
	Unit  Unit     `json:"unit"`
	Steps []string `json:"steps"`
}

// RevokeLinkInput names the link that RevokeLink shuts. Its ref is the target.
type RevokeLinkInput struct{ LinkRef }

// RevokeLinkResult tells what was removed at the target, and whether its API server was
// seen to refuse the source's token afterwards.
type RevokeLinkResult struct {
	fleet.Changes
	// Refused says so, and After how long that took, in nanoseconds. Note tells why it could
	// not be seen.
	Refused bool          `json:"refused"`
	After   time.Duration `json:"after,omitempty"`
	Note    string        `json:"note,omitempty"`
}

// RevokeResult tells what RevokeFleet shut.
type RevokeResult struct {
	Fleet string        `json:"fleet"`
	Links []RevokedLink `json:"links"`
	// StillCan tells, source by source, what somebody can still do who broke into it.
	StillCan []string `json:"stillCan,omitempty"`
	// Objects lists what a dry run would remove.
	Objects []ClusterObject `json:"objects,omitempty"`
}

// StillCan tells what somebody can do who broke into a source that was shut out.
func StillCan(source string) string {
	return fmt.Sprintf("whoever has the CA of %s can still make a certificate for any identity of the mesh, for that of another source's egress gateway too, until the mesh has another root", source)
}

// RevokedLink tells what became of one link.
type RevokedLink struct {
	Link string `json:"link"`
	// Removed counts the objects that let the source in.
	Removed int           `json:"removed"`
	Refused bool          `json:"refused"`
	After   time.Duration `json:"after,omitempty"`
	Note    string        `json:"note,omitempty"`
}
