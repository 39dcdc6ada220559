package api

import (
	"cmp"

	"github.com/landbridge/landbridge/internal/fleet"
)

// ClusterRef names the cluster that an activity works on, and the run it works for.
type ClusterRef struct {
	// Contract of the workflow that made the reference.
	Contract int    `json:"contract,omitempty"`
	Fleet    string `json:"fleet"`
	Cluster  string `json:"cluster"`
	// ClusterID by which Istio knows the cluster, where that is not its name.
	ClusterID  string           `json:"clusterID,omitempty"`
	Kubeconfig fleet.Kubeconfig `json:"kubeconfig"`
	// TaskQueue of the workers that serve the cluster.
	TaskQueue string `json:"taskQueue"`
	// Namespace has Istio's control plane, CNINamespace its CNI plugin.
	Namespace    string `json:"namespace"`
	CNINamespace string `json:"cniNamespace"`
	// Run is the run ID of the fleet's workflow.
	Run string `json:"run"`
	// TakeOver allows writing where another run, which is dead, has the lock.
	TakeOver bool `json:"takeOver,omitempty"`
	// MustExist changes only a cluster that remembers the fleet: a self-heal brings nothing
	// back that a cleanup removed.
	MustExist bool `json:"mustExist,omitempty"`
	// DryRun changes nothing, and reports what would change.
	DryRun bool `json:"dryRun,omitempty"`
	// ForceConflicts overwrites what somebody else changed.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
	// Adopt makes what a person made under the names of the fleet's own objects the
	// fleet's.
	Adopt bool `json:"adopt,omitempty"`
	// Render notes, with DryRun, each object as it would be applied.
	Render bool `json:"render,omitempty"`
	// Request tells who asked for the change, and why.
	Request fleet.Request `json:"request,omitzero"`
}

// Ref returns the reference itself: every input that embeds one has this method, by
// which workflows find the cluster of an activity.
func (s ClusterRef) Ref() ClusterRef { return s }

// IstioID returns the name by which Istio knows the cluster.
func (s ClusterRef) IstioID() string { return cmp.Or(s.ClusterID, s.Cluster) }

// RemoveInput tells a RemoveX what to remove: the fleet's objects of its step on one
// cluster.
type RemoveInput struct {
	ClusterRef
	// Link, in the form of fleet.Link.ID, limits it to one link.
	Link string `json:"link,omitempty"`
	// OnlyRun limits it to what that run created, so that an undo leaves alone what
	// existed before. Cleanup leaves it empty.
	OnlyRun string `json:"onlyRun,omitempty"`
}

// Undo returns the input of the RemoveX that removes what the run made here.
func (s ClusterRef) Undo() RemoveInput { return RemoveInput{ClusterRef: s, OnlyRun: s.Run} }

// LinkRef names the link that a step belongs to, and the one of its clusters that the
// step works on.
type LinkRef struct {
	ClusterRef
	Link fleet.Link `json:"link"`
	// TargetID by which Istio knows the target, where that is not its name.
	TargetID string `json:"targetID,omitempty"`
}

// TargetIstioID returns the name by which Istio knows the target.
func (s LinkRef) TargetIstioID() string { return cmp.Or(s.TargetID, s.Link.To) }

// Undo returns the input of the RemoveX that removes what the run made for the link.
func (s LinkRef) Undo() RemoveInput {
	return RemoveInput{ClusterRef: s.ClusterRef, Link: s.Link.ID(), OnlyRun: s.Run}
}

// RootRef names the place of a fleet's root: the cluster of its ClusterRef, or the
// directory of a worker where the ClusterRef names no cluster, or an issuer.
type RootRef struct {
	ClusterRef
	// Issuer signs in place of a root that is kept.
	Issuer fleet.Issuer `json:"issuer,omitzero"`
	// Sealed says that the Secret is sealed to the identity of the workers.
	Sealed bool `json:"sealed,omitempty"`
}
