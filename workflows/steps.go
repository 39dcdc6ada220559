package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The steps of the guide, each written once. A rollout runs a table down and a cleanup
// runs it up, which makes a cleanup the exact reverse by construction. The numbers are
// those of the guide; it has no step 0 and no proof
// (docs/adr/0011-steps-as-one-table.md).
var (
	rootSteps = &table{}
	stepRoot  = define(rootSteps, row{"3", "root", onRoot, apiCall, ca}, a.EnsureRoot, a.RemoveRoot)

	memberSteps         = &table{}
	stepInventory       = define(memberSteps, row{"0", "inventory", onMember, apiCall, always}, a.EnsureInventory, a.RemoveInventory)
	stepIntermediateKey = define(memberSteps, row{"3", "intermediate key", onMember, apiCall, ca}, a.EnsureIntermediateKey, a.RemoveIntermediateKey)
	stepSign            = ask(memberSteps, row{"3", "sign intermediate", onRoot, apiCall, ca}, a.SignIntermediate)
	stepNamespaces      = define(memberSteps, row{"4", "namespaces", onMember, apiCall, always}, a.EnsureNamespaces, a.RemoveNamespaces)
	stepCACerts         = define(memberSteps, row{"5", "cacerts", onMember, apiCall, ca}, a.EnsureCACerts, a.RemoveCACerts)
	stepIstio           = define(memberSteps, row{"6", "istio", onMember, apiCall, istio}, a.EnsureIstio, a.RemoveIstio)
	stepWaitIstio       = ask(memberSteps, row{"6", "wait for istio", onMember, operatorWait, istio}, a.WaitIstio)
	stepBindReaders     = ask(memberSteps, row{"6", "bind readers", onMember, apiCall, istio}, a.BindReaders)
	stepEastWest        = define(memberSteps, row{"7", "east-west gateway", onMember, patientCall, always}, a.EnsureEastWestGateway, a.RemoveEastWestGateway)
	stepExposure        = define(memberSteps, row{"8", "expose kube-apiserver", onMember, apiCall, always}, a.EnsureExposure, a.RemoveExposure)
	stepSealingKey      = define(memberSteps, row{"10", "sealing key", onMember, apiCall, always}, a.EnsureSealingKey, a.RemoveSealingKey)
	stepLoadBalancer    = ask(memberSteps, row{"11", "wait for load balancer", onMember, cloudWait, always}, a.WaitLoadBalancer)

	// What the links of a source share. Its undo is that of the egress gateway, too, so a
	// cleanup has no table more to run up.
	sourceSteps      = &table{}
	stepSharedEgress = define(sourceSteps, row{"10", "shared egress gateway", onSource, patientCall, always}, a.EnsureSharedEgress, a.RemoveSharedEgress)

	linkSteps        = &table{}
	stepAccess       = define(linkSteps, row{"8", "access", onTarget, apiCall, always}, a.EnsureAccess, a.RemoveAccess)
	stepEgress       = define(linkSteps, row{"10", "egress gateway", onSource, patientCall, always}, a.EnsureEgressGateway, a.RemoveEgressGateway)
	stepEgressConfig = define(linkSteps, row{"11", "egress configuration", onSource, apiCall, always}, a.EnsureEgressConfig, a.RemoveEgressConfig)
	stepReader       = define(linkSteps, row{"10", "reader", onTarget, apiCall, always}, a.EnsureReader, a.RemoveReader)
	stepReaderToken  = define(linkSteps, row{"10", "reader token", onTarget, apiCall, always}, a.EnsureReaderToken, a.RemoveReaderToken)
	stepRemoteSecret = define(linkSteps, row{"10", "remote secret", onSource, apiCall, always}, a.EnsureRemoteSecret, a.RemoveRemoteSecret)
	stepProof        = ask(linkSteps, row{"", "proof", onSource, proofCall, always}, a.CheckLink)
	stepRetire       = ask(linkSteps, row{"10", "retire older tokens", onTarget, apiCall, always}, a.RetireReaderTokens)
	stepRetireEgress = ask(linkSteps, row{"10", "retire the other egress gateway", onSource, patientCall, always}, a.RetireEgress)
)

// place names the cluster where a step runs.
type place string

const (
	onRoot   place = "root"
	onMember place = "member"
	onSource place = "source"
	onTarget place = "target"
)

// part names what a step installs, where that may be an existing one: then a rollout
// leaves the step out, and a cleanup does not undo it.
type part uint8

const (
	always part = iota
	ca
	istio
)

// row describes one step of the guide.
type row struct {
	number, name string
	at           place
	policy       func(limits) workflow.ActivityOptions
	part         part
}

// String returns the step as people see it: "4 namespaces".
func (r row) String() string {
	if r.number == "" {
		return r.name
	}
	return r.number + " " + r.name
}

// table holds the steps of one kind of unit, in the guide's order.
type table struct{ steps []tableStep }

// tableStep holds a step with its undo, whatever types its action has.
type tableStep struct {
	row
	do   any  // the activity
	undo undo // nil: the step leaves nothing behind
}

// undo removes what a step made.
type undo = func(context.Context, api.RemoveInput) (fleet.Changes, error)

// step holds one step with its action, and its place in its table.
type step[I located, R any] struct {
	row
	table *table
	at    int
	do    func(context.Context, I) (R, error)
}

// located gives the cluster that an activity works on. Every input has it.
type located interface{ Ref() api.ClusterRef }

// undoable gives the input of the undo. The input of every action that can be undone
// has it.
type undoable interface {
	located
	Undo() api.RemoveInput
}

// changing gives the changes that an action made. The result of every action that can
// be undone has it.
type changing interface {
	All() []fleet.Change
	Created() bool
}

// define adds to a table a step that changes something, with its undo.
func define[I undoable, R changing](t *table, r row, do func(context.Context, I) (R, error), undo undo) step[I, R] {
	t.steps = append(t.steps, tableStep{r, do, undo})
	return step[I, R]{r, t, len(t.steps) - 1, do}
}

// ask adds to a table a step that leaves nothing behind: a wait, a check, a signature, or a
// change of what another step made, whose undo removes it.
func ask[I located, R any](t *table, r row, do func(context.Context, I) (R, error)) step[I, R] {
	t.steps = append(t.steps, tableStep{r, do, nil})
	return step[I, R]{r, t, len(t.steps) - 1, do}
}
