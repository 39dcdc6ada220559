package api

import (
	"fmt"

	"github.com/landbridge/landbridge/internal/build"
)

// Contract counts the changes of what crosses Temporal that an older program would
// misread: it drops a field that it does not know in silence. It goes up with each field
// that changes what an activity or a workflow does. Every input carries it.
const Contract = 8

// Outdated reports that a program is older than what asked it.
type Outdated struct{ Wanted int }

// Error names both contracts, and tells what to do.
func (e *Outdated) Error() string {
	return fmt.Sprintf("this worker (%s) knows contract %d of Landbridge, and was asked by a newer one with contract %d: upgrade every worker of the fleet, then the command", build.Version(), Contract, e.Wanted)
}

// Understood returns an *Outdated where an input comes from a newer contract. An input
// without one is older, and every newer program understands it.
func Understood(input any) error {
	if in, ok := input.(interface{ contract() int }); ok && in.contract() > Contract {
		return &Outdated{in.contract()}
	}
	return nil
}

func (s ClusterRef) contract() int          { return s.Contract }
func (in FleetInput) contract() int         { return in.Contract }
func (in ClusterInput) contract() int       { return in.ClusterRef.Contract }
func (in LinksInput) contract() int         { return in.Source.Contract }
func (in LinkInput) contract() int          { return in.Source.Contract }
func (in CleanupInput) contract() int       { return in.ClusterRef.Contract }
func (in CleanupLinkInput) contract() int   { return in.Source.Contract }
func (in VerifyLinksInput) contract() int   { return in.Source.Contract }
func (in RotateClusterInput) contract() int { return in.ClusterRef.Contract }
