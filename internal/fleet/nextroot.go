package fleet

import "time"

// NextRoot tells how far one cluster is in the change from the fleet's root to another one.
type NextRoot struct {
	// Fingerprint of the other root.
	Fingerprint string `json:"fingerprint"`
	// Phase that was begun here, and Done where it has ended.
	Phase RootPhase `json:"phase"`
	Done  bool      `json:"done,omitempty"`
	// Since is when the phase had been begun or ended here.
	Since time.Time `json:"since,omitzero"`
	// Signed is when the next root may have signed last for workloads of this cluster. It is zero
	// where it never has.
	Signed time.Time `json:"signed,omitzero"`
}

// RootPhase counts the phases of a change of the root. A cluster and its neighbours trust each
// other as long as they are at most one phase apart.
type RootPhase int

const (
	// RootAlone: only the root is trusted, and it signs.
	RootAlone RootPhase = iota
	// RootTrusted: both are trusted, and the root signs.
	RootTrusted
	// RootSigns: both are trusted, and the next one signs.
	RootSigns
	// RootReplaced: only the next one is trusted, and it signs.
	RootReplaced
)

// String tells a phase in words.
func (p RootPhase) String() string {
	switch p {
	case RootAlone:
		return "only the old root is trusted"
	case RootTrusted:
		return "both roots are trusted, and the old one signs"
	case RootSigns:
		return "both roots are trusted, and the new one signs"
	}
	return "only the new root is trusted"
}

// NextSigns says whether intermediates come from the next root.
func (p RootPhase) NextSigns() bool { return p >= RootSigns }

// Both says whether both roots are trusted.
func (p RootPhase) Both() bool { return p == RootTrusted || p == RootSigns }

// Signer returns the fingerprint of the root that signs the cluster's intermediate.
func (k KnownRoot) Signer() string {
	if k.Next.Fingerprint != "" && k.Next.Phase.NextSigns() {
		return k.Next.Fingerprint
	}
	return k.Fingerprint
}

// Trusted lists the fingerprints of the roots that the cluster trusts, in the order of its
// cacerts.
func (k KnownRoot) Trusted() []string {
	switch {
	case k.Next.Fingerprint == "" || k.Next.Phase == RootAlone:
		return []string{k.Fingerprint}
	case k.Next.Phase == RootReplaced:
		return []string{k.Next.Fingerprint}
	}
	return []string{k.Fingerprint, k.Next.Fingerprint}
}

// Stage returns the phase of a change from this root to the next one, be it begun or ended.
func (k KnownRoot) Stage() RootPhase {
	if k.Next.Fingerprint == "" {
		return RootAlone
	}
	return k.Next.Phase
}

// WorkloadLifetime is how long a workload's certificate of Istio lives by default, and so how
// long one of before a phase may still be in use.
const WorkloadLifetime = 24 * time.Hour
