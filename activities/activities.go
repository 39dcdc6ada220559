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

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
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

func (a *Activities) open(s api.ClusterRef) (*kube.Cluster, error) {
	return a.Access.Open(s.Cluster, s.Kubeconfig)
}

// claim names this run to the inventory of a cluster.
func (a *Activities) claim(ctx context.Context, s api.ClusterRef) inventory.Claim {
	cl := inventory.Claim{Fleet: s.Fleet, As: inventory.Lock{Temporal: a.Temporal, Run: s.Run}, TakeOver: s.TakeOver}
	if activity.IsActivity(ctx) {
		cl.As.Since = activity.GetInfo(ctx).StartedTime.UTC()
	}
	return cl
}

// writer opens the ref's cluster for the writing of one step. What it writes
// needs the inventory; where a cleanup removed that, nothing is written.
func (a *Activities) writer(ctx context.Context, s api.ClusterRef, component, link string) (*kube.Writer, error) {
	return a.claiming(ctx, s, component, link, true)
}

// remover opens the ref's cluster for the removal of one step, which goes on
// without an inventory.
func (a *Activities) remover(ctx context.Context, in api.RemoveInput, component string) (*kube.Writer, error) {
	return a.claiming(ctx, in.ClusterRef, component, in.Link, false)
}

func (a *Activities) claiming(ctx context.Context, s api.ClusterRef, component, link string, mustExist bool) (*kube.Writer, error) {
	c, err := a.open(s)
	if err != nil {
		return nil, err
	}
	return &kube.Writer{Cluster: c, DryRun: s.DryRun, ForceConflicts: s.ForceConflicts, Render: s.Render,
		Owner: kube.Owner{Fleet: s.Fleet, Component: component, Link: link, Run: s.Run, Request: s.Request},
		Claim: func(ctx context.Context) error {
			claim := a.claim(ctx, s)
			claim.MustExist = mustExist
			return claim.Lock(ctx, c)
		}}, nil
}

// removeAll is the whole of a RemoveX whose step made objects of some kinds:
// they go in the given order.
func (a *Activities) removeAll(ctx context.Context, in api.RemoveInput, component, namespace string, kinds ...kinds.Resource) (fleet.Changes, error) {
	w, err := a.remover(ctx, in, component)
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, k := range kinds {
		if err := w.Remove(ctx, k, namespace, in.OnlyRun); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}
