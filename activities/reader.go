package activities

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
)

const componentReader = "reader"

// EnsureReader makes, in the target, the account with which one source reads it. It has Istio's
// own role, which reads every Secret, or roles of its own for a source whose istiod does without
// them: with what that istiod reads, and no Secrets.
func (a *Activities) EnsureReader(ctx context.Context, in api.EnsureReaderInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentReader, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, obj := range reader(in) {
		if err := applyOrFind(ctx, w, obj); err != nil {
			return w.Changes(), err
		}
	}
	if in.ReadsSecrets { // roles of its own have no use any more
		err = removeReaderRoles(ctx, w, in.Namespace)
	}
	return w.Changes(), err
}

// removeReaderRoles removes the account's own roles, each after what binds it.
func removeReaderRoles(ctx context.Context, w *kube.Writer, namespace string) error {
	if err := w.Remove(ctx, kinds.ClusterRoles, "", ""); err != nil {
		return err
	}
	if err := w.Remove(ctx, kinds.RoleBindings, namespace, ""); err != nil {
		return err
	}
	return w.Remove(ctx, kinds.Roles, namespace, "")
}

// RemoveReader undoes EnsureReader. With the account each of its tokens ends.
func (a *Activities) RemoveReader(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	removed, err := a.removeAll(ctx, in, componentReader, "", kinds.ClusterRoleBindings, kinds.ClusterRoles)
	if err != nil {
		return removed, err
	}
	here, err := a.removeAll(ctx, in, componentReader, in.Namespace, kinds.RoleBindings, kinds.Roles, kinds.ServiceAccounts)
	removed.Changes = append(removed.Changes, here.Changes...)
	return removed, err
}

// reader lists the account's objects, each role before what binds it, and last the binding that
// may replace Istio's own role: until then the account has that and its own.
func reader(in api.EnsureReaderInput) []any {
	name := fleet.Reader(in.Link.From)
	here := metav1.ObjectMeta{Namespace: in.Namespace, Name: name}
	account := &corev1.ServiceAccount{TypeMeta: typeMeta(kinds.ServiceAccounts), ObjectMeta: here}
	if in.ReadsSecrets {
		return []any{account, rights.ReaderBinding(in.Namespace, name, rights.IstioReader(in.Namespace, in.Revision))}
	}
	own := rights.ReaderBinding(in.Namespace, name, name)
	return []any{account, rights.ReaderRole(in.Link.From),
		&rbacv1.Role{TypeMeta: typeMeta(kinds.Roles), ObjectMeta: here, Rules: rights.ReaderIn(in.SourceRevision)},
		&rbacv1.RoleBinding{TypeMeta: typeMeta(kinds.RoleBindings), ObjectMeta: here, Subjects: own.Subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.Roles.Kind, Name: name}}, own}
}
