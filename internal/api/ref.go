package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// ClusterRef says which cluster an activity works on, and on whose behalf.
type ClusterRef struct {
	Fleet      string           `json:"fleet"`
	Cluster    string           `json:"cluster"`
	Kubeconfig fleet.Kubeconfig `json:"kubeconfig"`
	// TaskQueue of the workers that serve the cluster.
	TaskQueue string `json:"taskQueue"`
	// Namespace and CNINamespace are Istio's.
	Namespace    string `json:"namespace"`
	CNINamespace string `json:"cniNamespace"`
	// Run is the run ID of the fleet's workflow.
	Run string `json:"run"`
	// TakeOver allows writing where another run, which is dead, has the lock.
	TakeOver bool `json:"takeOver,omitempty"`
	// DryRun only says what would be done.
	DryRun bool `json:"dryRun,omitempty"`
	// ForceConflicts overwrites what somebody else changed.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
	// Render notes, with DryRun, each object as it would be applied.
	Render bool `json:"render,omitempty"`
	// Request says why, and on whose behalf.
	Request fleet.Request `json:"request,omitzero"`
}

// Ref returns the reference itself, so that every input that embeds one says where
// it belongs.
func (s ClusterRef) Ref() ClusterRef { return s }

// RemoveInput says what a RemoveX removes: the fleet's objects of that step on one
// cluster.
type RemoveInput struct {
	ClusterRef
	// Link limits it to one link.
	Link string `json:"link,omitempty"`
	// OnlyRun limits it to what that run created: an undo leaves alone what existed
	// before. Cleanup leaves it empty.
	OnlyRun string `json:"onlyRun,omitempty"`
}

// Undo returns the input of the RemoveX that removes what the run made here.
func (s ClusterRef) Undo() RemoveInput { return RemoveInput{ClusterRef: s, OnlyRun: s.Run} }

// LinkRef says which link a step belongs to, and on which of its clusters it works.
type LinkRef struct {
	ClusterRef
	Link fleet.Link `json:"link"`
}

// Undo returns the input of the RemoveX that removes what the run made for the link.
func (s LinkRef) Undo() RemoveInput {
	return RemoveInput{ClusterRef: s.ClusterRef, Link: s.Link.ID(), OnlyRun: s.Run}
}

// RootRef says where a fleet's root is kept. Its ClusterRef is the cluster that
// keeps it, or names no cluster where a worker's directory does.
type RootRef struct{ ClusterRef }
