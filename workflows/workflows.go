// Package workflows holds the course of a rollout and of all other work on a fleet, in
// the guide's order. RolloutFleet starts a RolloutCluster per cluster, and then a
// RolloutLinks per source cluster, which starts a RolloutLink per link. CleanupFleet
// removes everything in the exact reverse, ForgetFleet what the others have of a member
// that is lost for good, and RevokeFleet what lets a source in.
//
// The others only read. CheckFleet makes the preflight alone, PlanFleet tells what a rollout would do, VerifyFleet proves each
// link, DriftFleet tells how a fleet differs from its file (and starts a rollout that
// repairs it, where that is asked for), InspectFleet finds the meshes that exist before
// there is a file, and GatherFleet reads what somebody who helps wants to see. NotifyFleet
// has a channel hear of a run that waits, failed, found drift or is done.
//
// Nothing here may do what a replay would do differently: no client-go, no os, no
// time.Now.
package workflows

import (
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/activities"
)

// a names the activities in workflow code. It is nil: nothing here calls its methods.
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
	w.RegisterWorkflow(ForgetFleet)
	w.RegisterWorkflow(RevokeFleet)
	w.RegisterWorkflow(RestartFleet)
	w.RegisterWorkflow(RotateFleet)
	w.RegisterWorkflow(RotateLink)
	w.RegisterWorkflow(RotateCluster)
	w.RegisterWorkflow(CheckTokens)
	w.RegisterWorkflow(NotifyFleet)
	w.RegisterWorkflow(CheckFleet)
	w.RegisterWorkflow(PlanFleet)
	w.RegisterWorkflow(VerifyFleet)
	w.RegisterWorkflow(VerifyLinks)
	w.RegisterWorkflow(DriftFleet)
	w.RegisterWorkflow(InspectFleet)
	w.RegisterWorkflow(GatherFleet)
	w.RegisterWorkflow(GatherCluster)
	w.RegisterWorkflow(InspectCA)
	w.RegisterWorkflow(MoveRoot)
	w.RegisterWorkflow(ImportRoot)
	w.RegisterWorkflow(OfferRoot)
	w.RegisterWorkflow(ExportRoot)
}
