// Package workflows is what happens, in the guide's order: RolloutFleet starts a
// RolloutCluster per cluster, and then a RolloutLinks per source cluster, which
// starts a RolloutLink per link. CleanupFleet takes everything away in the exact
// reverse. PlanFleet says what a rollout would do, VerifyFleet proves each link,
// DriftFleet says in what a fleet is not what its file says, InspectFleet what
// meshes are there before there is a file, GatherFleet what a helper wants to see.
// Nothing here may do what replay would do differently: no client-go, no os, no
// time.Now.
package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/fleet"
)

// a stands for the activities in workflow code: its methods are only named.
var a *activities.Activities

// The search attributes that find a workflow in the Temporal UI.
var (
	FleetKey   = temporal.NewSearchAttributeKeyKeyword("LandbridgeFleet")
	ClusterKey = temporal.NewSearchAttributeKeyKeyword("LandbridgeCluster")
	LinkKey    = temporal.NewSearchAttributeKeyKeyword("LandbridgeLink")
	PhaseKey   = temporal.NewSearchAttributeKeyKeyword("LandbridgePhase")
	// ReasonKey and RequestedByKey are of the workflow that changes the fleet.
	ReasonKey      = temporal.NewSearchAttributeKeyKeyword("LandbridgeReason")
	RequestedByKey = temporal.NewSearchAttributeKeyKeyword("LandbridgeRequestedBy")
)

// Register registers every workflow under its own name.
func Register(w worker.WorkflowRegistry) {
	w.RegisterWorkflow(RolloutFleet)
	w.RegisterWorkflow(RolloutCluster)
	w.RegisterWorkflow(RolloutLinks)
	w.RegisterWorkflow(RolloutLink)
	w.RegisterWorkflow(CleanupFleet)
	w.RegisterWorkflow(CleanupLinks)
	w.RegisterWorkflow(CleanupLink)
	w.RegisterWorkflow(CleanupCluster)
	w.RegisterWorkflow(PlanFleet)
	w.RegisterWorkflow(VerifyFleet)
	w.RegisterWorkflow(VerifyLinks)
	w.RegisterWorkflow(DriftFleet)
	w.RegisterWorkflow(InspectFleet)
	w.RegisterWorkflow(GatherFleet)
	w.RegisterWorkflow(GatherCluster)
}

// FleetInput is what RolloutFleet, PlanFleet and CleanupFleet start with.
type FleetInput struct {
	// Fleet is the fleet file with its defaults filled in.
	Fleet fleet.Fleet `json:"fleet"`
	// Prune takes away clusters and links that left the fleet file.
	Prune bool `json:"prune,omitempty"`
	// TakeOver goes ahead where another Temporal's run, which is dead, holds a record.
	TakeOver bool `json:"takeOver,omitempty"`
	// DryRun only says what would be done.
	DryRun bool `json:"dryRun,omitempty"`
	// FromInventories says, to a cleanup, that the fleet file is lost: Fleet has the name
	// and some clusters, and what these remember says the rest.
	FromInventories bool `json:"fromInventories,omitempty"`
	// ForceConflicts overwrites what somebody else changed since the last rollout.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
	// Render has PlanFleet note each object as it would be applied.
	Render bool `json:"render,omitempty"`
	// Request is why, and on whose behalf.
	fleet.Request
}

// ref is a cluster as the activities address it.
func (in FleetInput) ref(c fleet.Cluster, run string) activities.ClusterRef {
	f := in.Fleet
	return activities.ClusterRef{Fleet: f.Metadata.Name, Cluster: c.Name, Kubeconfig: c.Kubeconfig, TaskQueue: c.TaskQueue,
		Namespace: f.Spec.Istio.Namespace, CNINamespace: f.Spec.Istio.CNINamespace,
		Run: run, TakeOver: in.TakeOver, DryRun: in.DryRun, ForceConflicts: in.ForceConflicts, Render: in.Render, Request: in.Request}
}

// rootRef is where the root is kept: a cluster, or a worker's directory.
func (in FleetInput) rootRef(run string) activities.RootRef {
	root := in.Fleet.Spec.CA.Root
	if c, ok := in.Fleet.Cluster(root.Cluster); ok {
		return activities.RootRef{ClusterRef: in.ref(c, run)}
	}
	s := in.ref(fleet.Cluster{}, run)
	s.TaskQueue = root.TaskQueue
	return activities.RootRef{ClusterRef: s}
}
