package reconcile

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
)

// maxMessage in bytes keeps a condition readable; Kubernetes allows 32 KiB.
const maxMessage = 2048

// set sets a condition about this generation of the resource.
func (o *object) set(typ string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&o.status.Conditions, metav1.Condition{Type: typ, Status: status, Reason: reason,
		Message: fleet.Brief(message, maxMessage), ObservedGeneration: o.GetGeneration()})
}

// idle says that no run is at work, and so no wave waits.
func (o *object) idle() {
	o.set(resource.Progressing, metav1.ConditionFalse, resource.NothingRuns, "no run changes the fleet")
	o.nothingWaits()
}

func (o *object) nothingWaits() {
	o.status.Approval = ""
	o.set(resource.WaitingForApproval, metav1.ConditionFalse, resource.NothingWaits, "no wave waits for an approval")
}

func (o *object) suspended() {
	o.set(resource.Ready, metav1.ConditionUnknown, resource.Suspended, "spec.reconcile.suspend is true: nothing begins until it is false again")
}

// The words for people that sum the conditions up.
const (
	phaseReady       = "Ready"
	phaseProgressing = "Progressing"
	phaseWaiting     = "Waiting"
	phaseFailed      = "Failed"
	phaseInvalid     = "Invalid"
	phaseSuspended   = "Suspended"
	phaseDeleting    = "Deleting"
	phaseUnknown     = "Unknown"
)

// phase sums the conditions up.
func phase(o *object) string {
	is := func(typ string) bool { return meta.IsStatusConditionTrue(o.status.Conditions, typ) }
	ready := meta.FindStatusCondition(o.status.Conditions, resource.Ready)
	switch {
	case !o.GetDeletionTimestamp().IsZero():
		return phaseDeleting
	case is(resource.WaitingForApproval):
		return phaseWaiting
	case is(resource.Progressing):
		return phaseProgressing
	case ready == nil:
		return phaseUnknown
	case ready.Reason == resource.InvalidSpec:
		return phaseInvalid
	case ready.Reason == resource.Suspended:
		return phaseSuspended
	case ready.Status == metav1.ConditionTrue:
		return phaseReady
	case ready.Status == metav1.ConditionFalse:
		return phaseFailed
	}
	return phaseUnknown
}
