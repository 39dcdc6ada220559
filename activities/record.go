package activities

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/record"
)

const componentRecord = "record"

// EnsureRecordInput is the part of the fleet that a cluster remembers.
type EnsureRecordInput struct {
	Site
	Part fleet.Fleet `json:"part"`
}

// EnsureRecordResult is what was written.
type EnsureRecordResult struct{ fleet.Changes }

// EnsureRecord is step 0: Landbridge's namespace, and in it the record of the
// fleet as applied to this cluster. It is written before anything else.
func (a *Activities) EnsureRecord(ctx context.Context, in EnsureRecordInput) (EnsureRecordResult, error) {
	w, err := a.remover(ctx, RemoveInput{Site: in.Site}, componentRecord) // there may be no record yet
	if err != nil {
		return EnsureRecordResult{}, err
	}
	old, err := record.Read(ctx, w.Cluster)
	if err != nil {
		return EnsureRecordResult{}, err
	}
	if err := old.Allowed(in.Cluster, in.Fleet, a.holder(ctx, in.Site), in.TakeOver); err != nil {
		return EnsureRecordResult{}, err
	}
	if err := ensureNamespace(ctx, w, fleet.SystemNamespace, nil); err != nil {
		return EnsureRecordResult{}, err
	}
	ch, err := record.Write(ctx, w.Cluster, in.Part, a.holder(ctx, in.Site), in.DryRun)
	if err != nil {
		return EnsureRecordResult{}, err
	}
	w.Note(ch)
	return EnsureRecordResult{w.Changes()}, nil
}

// RemoveRecord undoes step 0: the record goes, and then Landbridge's namespace,
// where it is ours. It is removed after everything else.
func (a *Activities) RemoveRecord(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	w, err := a.remover(ctx, in, componentRecord)
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

// ReleaseRecordInput names the cluster whose record is let go.
type ReleaseRecordInput struct{ Site }

// ReleaseRecordResult says whether the run had held it.
type ReleaseRecordResult struct {
	Released bool `json:"released"`
}

// ReleaseRecord takes the run's hold off the record when the run is over. A run
// that wrote nothing never held it.
func (a *Activities) ReleaseRecord(ctx context.Context, in ReleaseRecordInput) (ReleaseRecordResult, error) {
	c, err := a.open(in.Site)
	if err != nil {
		return ReleaseRecordResult{}, err
	}
	released, err := record.Release(ctx, c, a.holder(ctx, in.Site))
	return ReleaseRecordResult{released}, err
}

// CheckRecordInput names a cluster that is to be cleaned up.
type CheckRecordInput struct{ Site }

// CheckRecordResult is what the cluster remembers, or nothing.
type CheckRecordResult struct {
	Record *fleet.Fleet `json:"record,omitempty"`
}

// CheckRecord reads what a cluster remembers of the fleet, for cleanup. It is
// an error when the cluster belongs to another fleet or another run holds it.
func (a *Activities) CheckRecord(ctx context.Context, in CheckRecordInput) (CheckRecordResult, error) {
	c, err := a.open(in.Site)
	if err != nil {
		return CheckRecordResult{}, err
	}
	r, err := record.Read(ctx, c)
	if err != nil || r == nil {
		return CheckRecordResult{}, err
	}
	if err := r.Allowed(in.Cluster, in.Fleet, a.holder(ctx, in.Site), in.TakeOver); err != nil {
		return CheckRecordResult{}, err
	}
	return CheckRecordResult{&r.Fleet}, nil
}

// namespaceGone says whether there is no such namespace.
func namespaceGone(ctx context.Context, c *kube.Cluster, name string) (*corev1.Namespace, bool, error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, true, nil
	}
	return ns, false, wrap(err, "read the namespace %s", name)
}
