package activities

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// EnsureInventory is step 0: Landbridge's namespace, and in it the record of the
// fleet as applied to this cluster. It is written before anything else.
func (a *Activities) EnsureInventory(ctx context.Context, in api.EnsureInventoryInput) (fleet.Changes, error) {
	w, err := a.remover(ctx, api.RemoveInput{ClusterRef: in.ClusterRef}, inventory.Component) // there may be no record yet
	if err != nil {
		return fleet.Changes{}, err
	}
	old, err := inventory.Read(ctx, w.Cluster)
	if err != nil {
		return fleet.Changes{}, err
	}
	claim := a.claim(ctx, in.ClusterRef)
	if err := claim.Allowed(old, in.Cluster); err != nil {
		return fleet.Changes{}, err
	}
	if err := ensureNamespace(ctx, w, fleet.SystemNamespace, nil); err != nil {
		return fleet.Changes{}, err
	}
	ch, err := claim.Write(ctx, w.Cluster, in.Part, in.DryRun)
	if err != nil {
		return fleet.Changes{}, err
	}
	w.Note(ch)
	return w.Changes(), nil
}

// RemoveInventory undoes step 0: the record goes, and then Landbridge's namespace,
// where it is ours. It is removed after everything else.
func (a *Activities) RemoveInventory(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	w, err := a.remover(ctx, in, inventory.Component)
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := w.Remove(ctx, kinds.ConfigMaps, fleet.SystemNamespace, in.OnlyRun); err != nil {
		return fleet.Changes{}, err
	}
	// The root may live here too; then the namespace goes with it.
	root, err := w.Get(ctx, kinds.Secrets, fleet.SystemNamespace, rootSecret)
	if root != nil || err != nil && !apierrors.IsNotFound(err) {
		return w.Changes(), err
	}
	err = removeNamespaces(ctx, w, in.OnlyRun, fleet.SystemNamespace)
	return w.Changes(), err
}

// ReleaseInventory takes the run's hold off the record when the run is over. A run
// that wrote nothing never held it.
func (a *Activities) ReleaseInventory(ctx context.Context, in api.ReleaseInventoryInput) (api.ReleaseInventoryResult, error) {
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return api.ReleaseInventoryResult{}, err
	}
	released, err := inventory.Unlock(ctx, c, in.Run)
	return api.ReleaseInventoryResult{Released: released}, err
}

// CheckInventory reads what a cluster remembers of the fleet, for cleanup. It is
// an error when the cluster belongs to another fleet or another run holds it.
func (a *Activities) CheckInventory(ctx context.Context, in api.CheckInventoryInput) (api.CheckInventoryResult, error) {
	c, err := a.open(in.ClusterRef)
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
	return api.CheckInventoryResult{Inventory: &r.Fleet}, nil
}

// namespaceGone says whether there is no such namespace.
func namespaceGone(ctx context.Context, c *kube.Cluster, name string) (*corev1.Namespace, bool, error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, true, nil
	}
	return ns, false, wrap(err, "read the namespace %s", name)
}
