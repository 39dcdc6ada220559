package activities

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/rights"
)

const (
	componentReader = "reader"
	readerAccount   = "istio-reader-service-account"
	readerBinding   = "landbridge-istio-reader"
)

// EnsureReader makes the account with which the others read this cluster, and its
// binding. Istio installs both from release 1.26 on; what Istio installed stays as
// it is.
func (a *Activities) EnsureReader(ctx context.Context, in api.EnsureReaderInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentReader, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	live, err := w.Client.CoreV1().ServiceAccounts(in.Namespace).Get(ctx, readerAccount, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fleet.Changes{}, wrap(err, "read ServiceAccount %s", readerAccount)
	}
	if err == nil && live.Labels[fleet.LabelFleet] == "" {
		w.Note(fleet.Change{Action: fleet.Keep, Kind: kinds.ServiceAccounts.Kind, Namespace: in.Namespace, Name: readerAccount, Note: "Istio's own"})
		return w.Changes(), nil
	}
	for _, obj := range reader(in) {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveReader undoes EnsureReader.
func (a *Activities) RemoveReader(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	removed, err := a.removeAll(ctx, in, componentReader, "", kinds.ClusterRoleBindings)
	if err != nil {
		return removed, err
	}
	accounts, err := a.removeAll(ctx, in, componentReader, in.Namespace, kinds.ServiceAccounts)
	removed.Changes = append(removed.Changes, accounts.Changes...)
	return removed, err
}

func reader(in api.EnsureReaderInput) []any {
	return []any{
		&corev1.ServiceAccount{TypeMeta: typeMeta(kinds.ServiceAccounts),
			ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: readerAccount}},
		&rbacv1.ClusterRoleBinding{TypeMeta: typeMeta(kinds.ClusterRoleBindings),
			ObjectMeta: metav1.ObjectMeta{Name: readerBinding},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.ClusterRoles.Kind, Name: rights.ReaderRole(in.Namespace, in.Revision)},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: in.Namespace, Name: readerAccount}}},
	}
}
