package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// RootRotation brings a fleet one phase on in the change of its root, or finishes the phase that
// was begun.
type RootRotation struct {
	// Undo goes back one phase.
	Undo bool `json:"undo,omitempty"`
	// WorkloadLifetime is how long the certificates of workloads live: so long a phase lasts at
	// least before the next one that needs it to be everywhere. Zero: all were restarted since.
	WorkloadLifetime time.Duration `json:"workloadLifetime"`
}

// RootChanged tells where a change of the root is.
type RootChanged struct {
	// Old and Next are the fingerprints of the two roots.
	Old  string          `json:"old"`
	Next string          `json:"next"`
	From fleet.RootPhase `json:"from"`
	To   fleet.RootPhase `json:"to"`
	// OnAt is when it can go on, unless all workloads are restarted before.
	OnAt time.Time `json:"onAt,omitzero"`
}

// MemberPhase says what a member remembers before it is brought to a phase, while, and after.
type MemberPhase struct {
	Before fleet.KnownRoot `json:"before"`
	Begun  fleet.KnownRoot `json:"begun"`
	Done   fleet.KnownRoot `json:"done"`
	Place  fleet.RootStore `json:"place"`
	// NextRoot proves the next root to a member that has not accepted it yet.
	NextRoot
	// Restart says that the roots that are trusted change, for which istiod must be restarted.
	Restart bool `json:"restart,omitempty"`
	// Signs says that the next root signs before, while or after.
	Signs bool `json:"signs,omitempty"`
}

// NextRoot proves to a cluster that the root which it trusts vouches for another one. All of it
// is public.
type NextRoot struct {
	NextPEM string `json:"nextPEM,omitempty"`
	// CrossPEM has the subject and the key of the next root, signed by the one before.
	CrossPEM string `json:"crossPEM,omitempty"`
}

// MakeNextRootInput describes the root that takes the place of the fleet's. Where the store has
// one that waits, that is it. None is made where Begun names the one that members know already.
type MakeNextRootInput struct {
	RootRef
	CA    fleet.CA   `json:"ca"`
	Known MemberRoot `json:"known"`
	Begun string     `json:"begun,omitempty"`
}

// MakeNextRootResult holds the certificates of both.
type MakeNextRootResult struct {
	OldPEM string `json:"oldPEM"`
	NextRoot
	// TrustPEM has both.
	TrustPEM string `json:"trustPEM"`
	Old      string `json:"old"`
	Next     string `json:"next"`
	// Kept names the place of both.
	Kept string `json:"kept"`
}

// EndRootChangeInput says that the change is over: one root stays, and the other one goes with its
// key. Both are named by their fingerprints, so that a try that comes late meets no other root.
type EndRootChangeInput struct {
	RootRef
	Stays string `json:"stays"`
	Goes  string `json:"goes"`
}
