// Package activities does to clusters what the guide does by hand: one file per
// step, the action and its undo side by side. EnsureX and RemoveX are safe to
// repeat, WaitX waits and heartbeats, CheckX only reads, but for the pod that a
// rollout's CheckLink starts. An activity changes one cluster, the root or what Temporal has,
// never two; what it takes and gives is public or sealed, since
// everybody who can open the Temporal UI reads it.
package activities

import (
	"context"

	"filippo.io/age"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/notify"
)

// Activities holds what a worker was started with. Its methods are the activities.
type Activities struct {
	// Access is the set of kubeconfigs that the worker may use.
	Access kube.Access
	// RootDir keeps roots, one directory per fleet. Empty: this worker keeps none.
	RootDir string
	// RootIdentity opens roots that are sealed in a Secret. Nil: this worker opens none.
	RootIdentity *age.X25519Identity
	// CFSSLKeys holds the keys of the cfssl servers that this worker may ask.
	CFSSLKeys certs.CFSSLKeys
	// Channels holds the webhooks that this worker may send notifications to.
	Channels notify.Channels
	// RootExport lets a root leave its place: moved, or copied for a backup.
	RootExport bool
	// Unseen names the clusters that the worker cannot reach, and whose sealing keys and CSRs
	// it takes from who asks.
	Unseen []string
	// ChartDir is where chart directories of fleet files are looked up.
	ChartDir string
	// Temporal identifies the server and namespace that the worker serves.
	Temporal string
	// Payloads reads what Temporal hands on as it is stored; nil where nothing is encrypted.
	Payloads converter.DataConverter

	keys keys
	runs kube.Runs
}

// Register registers every activity under its own name.
func Register(w worker.ActivityRegistry, a *Activities) { w.RegisterActivity(a) }

// noteExisting marks, in a change, what existed before Landbridge.
const noteExisting = "existed before; stays at cleanup"

func (a *Activities) open(ctx context.Context, s api.ClusterRef) (*kube.Cluster, error) {
	c, err := a.Access.Open(ctx, s.Cluster, s.Kubeconfig)
	if err == nil {
		a.runs.Share(c, s.Run, s.Kubeconfig)
	}
	return c, err
}

// claim names this run to the inventory of a cluster.
func (a *Activities) claim(ctx context.Context, s api.ClusterRef) inventory.Claim {
	cl := inventory.Claim{Fleet: s.Fleet, As: inventory.Lock{Temporal: a.Temporal, Run: s.Run}, TakeOver: s.TakeOver}
	if activity.IsActivity(ctx) {
		cl.As.Since = activity.GetInfo(ctx).StartedTime.UTC()
	}
	return cl
}

// writer opens a cluster to write the objects of one step. It writes nothing once a
// cleanup has removed the inventory.
func (a *Activities) writer(ctx context.Context, s api.ClusterRef, component, link string) (*kube.Writer, error) {
	claim := a.claim(ctx, s)
	claim.MustExist = true
	return a.claiming(ctx, s, component, link, claim)
}

// adopting opens a cluster for a step that makes the fleet's what a person made by the
// guide, where the fleet file wants that.
func (a *Activities) adopting(ctx context.Context, s api.ClusterRef, component, link string) (*kube.Writer, error) {
	w, err := a.writer(ctx, s, component, link)
	if err == nil {
		w.Adopt = s.Adopt
	}
	return w, err
}

// writerWithoutInventory opens a cluster for what is written before the inventory,
// and for removals, which go on without one.
func (a *Activities) writerWithoutInventory(ctx context.Context, s api.ClusterRef, component, link string) (*kube.Writer, error) {
	return a.claiming(ctx, s, component, link, a.claim(ctx, s))
}

func (a *Activities) claiming(ctx context.Context, s api.ClusterRef, component, link string, claim inventory.Claim) (*kube.Writer, error) {
	c, err := a.open(ctx, s)
	if err != nil {
		return nil, err
	}
	return &kube.Writer{Cluster: c, DryRun: s.DryRun, ForceConflicts: s.ForceConflicts, Render: s.Render,
		Owner: kube.Owner{Fleet: s.Fleet, Component: component, Link: link, Run: s.Run, Request: s.Request},
		Lock:  func(ctx context.Context) error { return claim.Lock(ctx, c) }}, nil
}

// removeAll removes the objects of one step, kind by kind in the given order.
func (a *Activities) removeAll(ctx context.Context, in api.RemoveInput, component, namespace string, kinds ...kinds.Resource) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, component, in.Link)
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

func typeMeta(r kinds.Resource) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: r.GroupVersion().String(), Kind: r.Kind}
}
