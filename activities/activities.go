// Package activities is what Landbridge does to clusters: one file per step of
// the guide, the action and its undo side by side. EnsureX and RemoveX are safe
// to repeat, WaitX polls and heartbeats, CheckX only reads. An activity talks to
// one cluster, or to the root, never to two; what it takes and gives is public
// or sealed, since everybody who can open the Temporal UI reads it.
package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// Activities is what a worker can do. Its fields say what the worker was
// started with.
type Activities struct {
	// Access is the set of kubeconfigs that the worker may use.
	Access kube.Access
	// RootDir keeps roots, one directory per fleet. Empty: this worker keeps none.
	RootDir string
	// ChartDir is where chart directories of fleet files are looked up.
	ChartDir string
	// Temporal identifies the server and namespace that the worker serves.
	Temporal string
}

// Register registers every activity under its own name.
func Register(w worker.ActivityRegistry, a *Activities) { w.RegisterActivity(a) }

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
	// TakeOver allows writing where another run, which is dead, holds the record.
	TakeOver bool `json:"takeOver,omitempty"`
	// DryRun only says what would be done.
	DryRun bool `json:"dryRun,omitempty"`
	// ForceConflicts overwrites what somebody else changed.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
	// Render notes, with DryRun, each object as it would be applied.
	Render bool `json:"render,omitempty"`
	// Request is why, and on whose behalf.
	Request fleet.Request `json:"request,omitzero"`
}

// Where returns the ref itself, so that every input that embeds one says where
// it belongs.
func (s ClusterRef) Ref() ClusterRef { return s }

// RemoveInput says what a RemoveX takes away: the fleet's objects of that step
// on one cluster.
type RemoveInput struct {
	ClusterRef
	// Link limits it to one link.
	Link string `json:"link,omitempty"`
	// OnlyRun limits it to what that run created: an undo leaves alone what was
	// there before. Cleanup leaves it empty.
	OnlyRun string `json:"onlyRun,omitempty"`
}

// RemoveResult is what a RemoveX took away.
type RemoveResult struct{ fleet.Changes }

// Undo is the input of the RemoveX that takes back what the run made here.
func (s ClusterRef) Undo() RemoveInput { return RemoveInput{ClusterRef: s, OnlyRun: s.Run} }

// LinkRef is the ref of a step that belongs to a link.
type LinkRef struct {
	ClusterRef
	Link fleet.Link `json:"link"`
}

// Undo is the input of the RemoveX that takes back what the run made for the link.
func (s LinkRef) Undo() RemoveInput {
	return RemoveInput{ClusterRef: s.ClusterRef, Link: s.Link.ID(), OnlyRun: s.Run}
}

func (a *Activities) open(s ClusterRef) (*kube.Cluster, error) {
	return a.Access.Open(s.Cluster, s.Kubeconfig)
}

// holder is this run, as the record names it.
func (a *Activities) lock(ctx context.Context, s ClusterRef) inventory.Lock {
	h := inventory.Lock{Temporal: a.Temporal, Run: s.Run}
	if activity.IsActivity(ctx) {
		h.Since = activity.GetInfo(ctx).StartedTime.UTC()
	}
	return h
}

// writer opens the ref's cluster for the writing of one step. What it writes
// needs the record; where a cleanup took that away, nothing is written.
func (a *Activities) writer(ctx context.Context, s ClusterRef, component, link string) (*kube.Writer, error) {
	return a.claiming(ctx, s, component, link, true)
}

// remover is a writer for taking away, which goes on without a record.
func (a *Activities) remover(ctx context.Context, in RemoveInput, component string) (*kube.Writer, error) {
	return a.claiming(ctx, in.ClusterRef, component, in.Link, false)
}

func (a *Activities) claiming(ctx context.Context, s ClusterRef, component, link string, mustExist bool) (*kube.Writer, error) {
	c, err := a.open(s)
	if err != nil {
		return nil, err
	}
	return &kube.Writer{Cluster: c, DryRun: s.DryRun, ForceConflicts: s.ForceConflicts, Render: s.Render,
		Owner: kube.Owner{Fleet: s.Fleet, Component: component, Link: link, Run: s.Run, Request: s.Request},
		Claim: func(ctx context.Context) error {
			return inventory.Claim(ctx, c, s.Fleet, a.lock(ctx, s), s.TakeOver, mustExist)
		}}, nil
}

// removeAll is the whole of a RemoveX whose step made objects of some kinds:
// they go in the given order.
func (a *Activities) removeAll(ctx context.Context, in RemoveInput, component, namespace string, kinds ...kube.Resource) (RemoveResult, error) {
	w, err := a.remover(ctx, in, component)
	if err != nil {
		return RemoveResult{}, err
	}
	for _, k := range kinds {
		if err := w.Remove(ctx, k, namespace, in.OnlyRun); err != nil {
			return RemoveResult{w.Changes()}, err
		}
	}
	return RemoveResult{w.Changes()}, nil
}
