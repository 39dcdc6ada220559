package activities

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentInventory = "record"

// EnsureInventoryInput is the part of the fleet that a cluster remembers.
type EnsureInventoryInput struct {
	ClusterRef
	Part fleet.Fleet `json:"part"`
}

// EnsureInventoryResult is what was written.
type EnsureInventoryResult struct{ fleet.Changes }

// EnsureInventory is step 0: Landbridge's namespace, and in it the record of the
// fleet as applied to this cluster. It is written before anything else.
func (a *Activities) EnsureInventory(ctx context.Context, in EnsureInventoryInput) (EnsureInventoryResult, error) {
	w, err := a.remover(ctx, RemoveInput{ClusterRef: in.ClusterRef}, componentInventory) // there may be no record yet
	if err != nil {
		return EnsureInventoryResult{}, err
	}
	old, err := inventory.Read(ctx, w.Cluster)
	if err != nil {
		return EnsureInventoryResult{}, err
	}
	if err := old.Allowed(in.Cluster, in.Fleet, a.lock(ctx, in.ClusterRef), in.TakeOver); err != nil {
		return EnsureInventoryResult{}, err
	}
	if err := ensureNamespace(ctx, w, fleet.SystemNamespace, nil); err != nil {
		return EnsureInventoryResult{}, err
	}
	ch, err := inventory.Write(ctx, w.Cluster, in.Part, a.lock(ctx, in.ClusterRef), in.DryRun)
	if err != nil {
		return EnsureInventoryResult{}, err
	}
	w.Note(ch)
	return EnsureInventoryResult{w.Changes()}, nil
}

// RemoveInventory undoes step 0: the record goes, and then Landbridge's namespace,
// where it is ours. It is removed after everything else.
func (a *Activities) RemoveInventory(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	w, err := a.remover(ctx, in, componentInventory)
	if err != nil {
		return RemoveResult{}, err
	}
	if err := w.Remove(ctx, kube.ConfigMaps, fleet.SystemNamespace, in.OnlyRun); err != nil {
		return RemoveResult{}, err
	}
	// The root may live here too; then the namespace goes with it.
	root, err := w.Get(ctx, kube.Secrets, fleet.SystemNamespace, rootSecret)
	if root != nil || err != nil && !apierrors.IsNotFound(err) {
		return RemoveResult{w.Changes()}, err
	}
	err = removeNamespaces(ctx, w, in.OnlyRun, fleet.SystemNamespace)
	return RemoveResult{w.Changes()}, err
}

// ReleaseInventoryInput names the cluster whose record is let go.
type ReleaseInventoryInput struct{ ClusterRef }

// ReleaseInventoryResult says whether the run had held it.
type ReleaseInventoryResult struct {
	Released bool `json:"released"`
}

// ReleaseInventory takes the run's hold off the record when the run is over. A run
// that wrote nothing never held it.
func (a *Activities) ReleaseInventory(ctx context.Context, in ReleaseInventoryInput) (ReleaseInventoryResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return ReleaseInventoryResult{}, err
	}
	released, err := inventory.Release(ctx, c, a.lock(ctx, in.ClusterRef))
	return ReleaseInventoryResult{released}, err
}

// CheckInventoryInput names a cluster that is to be cleaned up.
type CheckInventoryInput struct{ ClusterRef }

// CheckInventoryResult is what the cluster remembers, or nothing.
type CheckInventoryResult struct {
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
}

// CheckInventory reads what a cluster remembers of the fleet, for cleanup. It is
// an error when the cluster belongs to another fleet or another run holds it.
func (a *Activities) CheckInventory(ctx context.Context, in CheckInventoryInput) (CheckInventoryResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return CheckInventoryResult{}, err
	}
	r, err := inventory.Read(ctx, c)
	if err != nil || r == nil {
		return CheckInventoryResult{}, err
	}
	if err := r.Allowed(in.Cluster, in.Fleet, a.lock(ctx, in.ClusterRef), in.TakeOver); err != nil {
		return CheckInventoryResult{}, err
	}
	return CheckInventoryResult{&r.Fleet}, nil
}

// namespaceGone says whether there is no such namespace.
func namespaceGone(ctx context.Context, c *kube.Cluster, name string) (*corev1.Namespace, bool, error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, true, nil
	}
	return ns, false, wrap(err, "read the namespace %s", name)
}
