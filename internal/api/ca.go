package api

import "github.com/landbridge/landbridge/internal/fleet"

// RootChange tells where a root goes to that is moved, exported or imported.
type RootChange struct {
	// To names the place that a root is moved to.
	To fleet.RootStore `json:"to,omitzero"`
	// Recipients lists the age recipients that an exported root is sealed to.
	Recipients []string `json:"recipients,omitempty"`
	// Sealed holds an imported root, in base64, sealed to the place that is to keep it.
	Sealed string `json:"sealed,omitempty"`
}

// CAResult describes a fleet's CA. It holds nothing secret.
type CAResult struct {
	Fleet string `json:"fleet"`
	// Root as the place has it that the fleet file names.
	Root CheckRootResult `json:"root"`
	// Clusters in the order of the fleet file.
	Clusters []ClusterCA `json:"clusters"`
}

// ClusterCA describes the intermediate of one member. Why tells why it could not be read.
type ClusterCA struct {
	Name string `json:"name"`
	CheckIntermediateResult
	Why string `json:"why,omitempty"`
}

// CheckRootInput names the place in which CheckRoot looks.
type CheckRootInput struct{ RootRef }

// CheckRootResult describes the root in one place. Facts are empty where there is none, or
// where it cannot be used: then Why tells why.
type CheckRootResult struct {
	Facts CertificateFacts `json:"facts,omitzero"`
	// Kept names the place.
	Kept string `json:"kept,omitempty"`
	Why  string `json:"why,omitempty"`
}

// CheckIntermediateInput names the cluster whose intermediate is read.
type CheckIntermediateInput struct{ ClusterRef }

// CheckIntermediateResult describes the Secret cacerts of a cluster.
type CheckIntermediateResult struct {
	// Intermediate is empty where there is no cacerts.
	Intermediate CertificateFacts `json:"intermediate,omitzero"`
	// Root that the intermediate comes from, by fingerprint.
	Root string `json:"root,omitempty"`
	// Known tells which root the cluster's inventory names, and where that is kept.
	Known fleet.KnownRoot `json:"known,omitzero"`
}

// OfferRootInput names the place that is to get a root.
type OfferRootInput struct{ RootRef }

// OfferRootResult holds the age recipient to which a root is sealed on its way there.
type OfferRootResult struct {
	Recipient string `json:"recipient"`
}

// SealRootInput names the place of a root, and who may read the copy.
type SealRootInput struct {
	RootRef
	Recipients []string `json:"recipients"`
	// Known lists the roots that the members remember or run with.
	Known []MemberRoot `json:"known,omitempty"`
}

// SealRootResult holds a copy of the root that only the recipients can read, in base64.
type SealRootResult struct {
	Sealed string           `json:"sealed"`
	Facts  CertificateFacts `json:"facts"`
	Kept   string           `json:"kept"`
}

// ReceiveRootInput holds a root that was sealed to the place.
type ReceiveRootInput struct {
	RootRef
	Sealed string       `json:"sealed"`
	Known  []MemberRoot `json:"known,omitempty"`
}

// RememberRootInput tells a member where the root is kept now, and how far it is in a change of
// the root.
type RememberRootInput struct {
	ClusterRef
	Root fleet.KnownRoot `json:"root"`
	// NextRoot proves the next root of Root, where the member has not accepted it yet.
	NextRoot
	// Place as the fleet file names it from now on.
	Place fleet.RootStore `json:"place"`
}

// MoveRootResult tells where a root was, and where it is.
type MoveRootResult struct {
	Fleet string           `json:"fleet"`
	Facts CertificateFacts `json:"facts"`
	// From is empty for a root that was imported.
	From string `json:"from,omitempty"`
	To   string `json:"to"`
}

// ExportRootResult holds an exported root, which only the recipients can read.
type ExportRootResult struct {
	Fleet string `json:"fleet"`
	SealRootResult
}
