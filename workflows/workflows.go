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
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/activities"
)

// a stands for the activities in workflow code: its methods are only named.
var a *activities.Activities

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
