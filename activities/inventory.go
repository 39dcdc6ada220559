package activities

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
)

// EnsureInventory does step 0: it makes Landbridge's namespace, and in it the
// inventory of the fleet as applied to this cluster, before anything else.
func (a *Activities) EnsureInventory(ctx context.Context, in api.EnsureInventoryInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, inventory.Component, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	uid, err := uidOf(ctx, w.Cluster)
	if err == nil {
		err = sameUID(in.Cluster, in.Memory.Member.UID, uid)
	}
	if err != nil {
		return fleet.Changes{}, err
	}
	old, err := inventory.Read(ctx, w.Cluster)
	if err != nil {
		return fleet.Changes{}, err
	}
	claim := a.claim(ctx, in.ClusterRef)
	claim.MustExist = in.MustExist
	if err := claim.Allowed(old, in.Cluster); err != nil {
		return fleet.Changes{}, err
	}
	if err := ensureNamespace(ctx, w, fleet.SystemNamespace, nil); err != nil {
		return fleet.Changes{}, err
	}
	ch, err := claim.Write(ctx, w.Cluster, in.Part, in.Memory, in.DryRun)
	if err != nil {
		return fleet.Changes{}, err
	}
	w.Note(ch)
	return w.Changes(), nil
}

// RemoveInventory undoes EnsureInventory, after everything else: it removes the
// inventory, and then Landbridge's namespace unless the fleet's root is in it.
func (a *Activities) RemoveInventory(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, inventory.Component, in.Link)
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := w.Remove(ctx, kinds.ConfigMaps, fleet.SystemNamespace, in.OnlyRun); err != nil {
		return fleet.Changes{}, err
	}
	root, err := w.Get(ctx, kinds.Secrets, fleet.SystemNamespace, rootSecret)
	if root != nil || err != nil && !apierrors.IsNotFound(err) {
		return w.Changes(), err
	}
	err = removeNamespaces(ctx, w, in.OnlyRun, fleet.SystemNamespace)
	return w.Changes(), err
}

// ReleaseInventory removes the run's lock from the inventory when the run is over. A
// run that wrote nothing never held it.
func (a *Activities) ReleaseInventory(ctx context.Context, in api.ReleaseInventoryInput) (api.ReleaseInventoryResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.ReleaseInventoryResult{}, err
	}
	released, err := inventory.Unlock(ctx, c, in.Run)
	return api.ReleaseInventoryResult{Released: released}, err
}

// CheckInventory reads what a cluster remembers of the fleet, for cleanup. It fails
// when the cluster belongs to another fleet or another run has the lock.
func (a *Activities) CheckInventory(ctx context.Context, in api.CheckInventoryInput) (api.CheckInventoryResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.CheckInventoryResult{}, err
	}
	r, err := inventory.Read(ctx, c)
	if err != nil || r == nil {
		return api.CheckInventoryResult{}, err
	}
	if err := a.claim(ctx, in.ClusterRef).Allowed(r, in.Cluster); err != nil {
		return api.CheckInventoryResult{}, err
	}
	return api.CheckInventoryResult{Inventory: &r.Fleet, Memory: r.Memory}, nil
}
