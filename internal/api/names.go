// Package api holds all that crosses Temporal: the names of workflows, updates,
// queries and search attributes, IDs, inputs, results, states, failures and
// decisions. It knows neither clusters nor how a step is done, so that the command,
// the report and the connection need nothing else of ours but the fleet file.
package api

import (
	"go.temporal.io/sdk/temporal"
)

// The names of the workflow types, as Temporal and its UI show them.
const (
	RolloutFleet   = "RolloutFleet"
	RolloutCluster = "RolloutCluster"
	RolloutLinks   = "RolloutLinks"
	RolloutLink    = "RolloutLink"
	CleanupFleet   = "CleanupFleet"
	CleanupCluster = "CleanupCluster"
	CleanupLinks   = "CleanupLinks"
	CleanupLink    = "CleanupLink"
	ForgetFleet    = "ForgetFleet"
	RevokeFleet    = "RevokeFleet"
	RestartFleet   = "RestartFleet"
	RotateFleet    = "RotateFleet"
	RotateLink     = "RotateLink"
	RotateCluster  = "RotateCluster"
	CheckTokens    = "CheckTokens"
	NotifyFleet    = "NotifyFleet"
	PlanFleet      = "PlanFleet"
	CheckFleet     = "CheckFleet"
	VerifyFleet    = "VerifyFleet"
	VerifyLinks    = "VerifyLinks"
	DriftFleet     = "DriftFleet"
	InspectFleet   = "InspectFleet"
	GatherFleet    = "GatherFleet"
	GatherCluster  = "GatherCluster"
	InspectCA      = "InspectCA"
	MoveRoot       = "MoveRoot"
	ImportRoot     = "ImportRoot"
	OfferRoot      = "OfferRoot"
	ExportRoot     = "ExportRoot"
)

// MemoRequest names the memo that holds the digest of the request which started a run:
// the same request joins the run, and another one is refused.
const MemoRequest = "landbridgeRequest"

// StatusQuery names the query that a rollout, a plan, a cleanup and their children answer
// with a Status.
const StatusQuery = "status"

// The updates by which people steer a rollout that runs. Each has a validator, takes a
// DecisionInput, and returns one sentence that tells what follows.
const (
	UpdateApprove = "approve"
	UpdatePause   = "pause"
	UpdateResume  = "resume"
	UpdateRetry   = "retry"
	UpdateSkip    = "skip"
	UpdateCancel  = "cancel"
)

// The search attributes that find a workflow in the Temporal UI.
var (
	FleetKey   = temporal.NewSearchAttributeKeyKeyword("LandbridgeFleet")
	ClusterKey = temporal.NewSearchAttributeKeyKeyword("LandbridgeCluster")
	LinkKey    = temporal.NewSearchAttributeKeyKeyword("LandbridgeLink")
	PhaseKey   = temporal.NewSearchAttributeKeyKeyword("LandbridgePhase")
	// ReasonKey and RequestedByKey belong to the workflow that changes the fleet.
	ReasonKey      = temporal.NewSearchAttributeKeyKeyword("LandbridgeReason")
	RequestedByKey = temporal.NewSearchAttributeKeyKeyword("LandbridgeRequestedBy")
)
