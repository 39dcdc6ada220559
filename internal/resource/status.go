// Package resource describes the Fleet resource of Kubernetes: a fleet file that a management
// cluster keeps, with a status. Its CustomResourceDefinition is made from the types of the fleet
// file. It talks to no cluster.
package resource

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// The types of the conditions of a Fleet.
const (
	// Ready is True when what the resource says is rolled out.
	Ready = "Ready"
	// Progressing is True while a run changes the fleet.
	Progressing = "Progressing"
	// WaitingForApproval is True while a wave of the run waits for its approval.
	WaitingForApproval = "WaitingForApproval"
	// Proven is True when every link of the last rollout was proven.
	Proven = "Proven"
	// Drifted is True when the last check of the fleet's schedule found drift.
	Drifted = "Drifted"
)

// The reasons of the conditions.
const (
	RolledOut      = "RolledOut"
	RolloutFailed  = "RolloutFailed"
	PartlyFailed   = "PartlyFailed"
	Refused        = "Refused"
	Stopped        = "Stopped"
	InvalidSpec    = "InvalidSpec"
	Suspended      = "Suspended"
	RollingOut     = "RollingOut"
	CleaningUp     = "CleaningUp"
	CleanupFailed  = "CleanupFailed"
	Protected      = "Protected"
	OtherRun       = "OtherRun"
	ChangedOutside = "ChangedOutside"
	NoTemporal     = "NoTemporal"
	WaveWaits      = "WaveWaits"
	NothingWaits   = "NothingWaits"
	AllProven      = "AllProven"
	NotAllProven   = "NotAllProven"
	ProofSkipped   = "ProofSkipped"
	NothingRuns    = "NothingRuns"
	NotChecked     = "NotChecked"
	CheckFailed    = "CheckFailed"
	InSync         = "InSync"
	DriftFound     = "DriftFound"
)

// The annotations of a Fleet by which people ask for something. A value that was answered is
// not answered again, so that a tool which writes the resource from Git may keep it there.
const (
	// Approve approves a wave: GENERATION/WAVE, as status.approval shows it.
	Approve = fleet.Domain + "/approve"
	// RequestedAt begins a rollout of the same spec when its value changes: a time, as people and
	// Flux write it, or any other text.
	RequestedAt = fleet.Domain + "/rollout-requested-at"
	// Reason says why, such as a change number. It is kept with the run.
	Reason = fleet.Domain + "/reason"
)

// Finalizer keeps a Fleet with spec.reconcile.prune until its clusters are cleaned up.
const Finalizer = fleet.Domain + "/cleanup"

// Status tells what became of a Fleet.
type Status struct {
	// ObservedGeneration is the generation of the resource that the conditions are about.
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Phase sums the conditions up in a word, for people: Ready, Progressing, Waiting, Failed,
	// Invalid, Suspended, Deleting or Unknown.
	Phase string `json:"phase,omitempty"`
	// Clusters and Links count those of the last rollout that was done, and Proven the links
	// that it proved.
	Clusters int `json:"clusters,omitempty"`
	Links    int `json:"links,omitempty"`
	Proven   int `json:"proven,omitempty"`
	// Approval is the value of the annotation landbridge.dev/approve that the wave which waits
	// needs.
	Approval string `json:"approval,omitempty"`
	// Run is the last one that began for this resource.
	Run *Run `json:"run,omitempty"`
	// LastRequestedAt is the value of the annotation landbridge.dev/rollout-requested-at that was
	// answered last.
	LastRequestedAt string `json:"lastRequestedAt,omitempty"`
	// LastApproval is the value of the annotation landbridge.dev/approve that was answered last.
	LastApproval string `json:"lastApproval,omitempty"`
	// Schedule tells how spec.reconcile set the fleet's schedule.
	Schedule string `json:"schedule,omitempty"`
	// Conditions are Ready, Progressing, WaitingForApproval, Proven and Drifted.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Run names a workflow that changes the fleet.
type Run struct {
	// Type of the workflow: RolloutFleet or CleanupFleet.
	Type string `json:"type"`
	// Workflow and Run are its IDs in Temporal.
	Workflow string `json:"workflow"`
	Run      string `json:"run"`
	// Generation of the resource that it is for.
	Generation int64 `json:"generation"`
	// ForDeletion says that the resource was being deleted when it began.
	ForDeletion bool `json:"forDeletion,omitempty"`
	// UI is where Temporal's web UI lists the changes of the fleet, where its address is known.
	UI string `json:"ui,omitempty"`
	// Began tells when the workflow was started.
	Began time.Time `json:"began,omitzero"`
}
