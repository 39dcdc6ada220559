package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// applyOrFind applies one of a reader's objects. What an administrator made of the whole cluster,
// since the worker may not, stays as it is where it gives what is wanted, and after a cleanup too.
func applyOrFind(ctx context.Context, w *kube.Writer, obj any) error {
	err := applyReader(ctx, w, obj)
	var notOurs *kube.NotOursError
	if !errors.As(err, &notOurs) || notOurs.Owner != "" {
		return err
	}
	gives, failed := true, error(nil)
	switch want := obj.(type) {
	case *rbacv1.ClusterRole:
		gives, failed = roleGives(ctx, w, want)
	case *rbacv1.ClusterRoleBinding:
		gives, failed = bindingGives(ctx, w, want)
	default:
		return err
	}
	switch {
	case failed != nil:
		return wrap(failed, "read the %s %s", notOurs.Kind, notOurs.Name)
	case !gives:
		return &kube.DeadEndError{Reason: fmt.Sprintf("%s %s was not made by Landbridge and does not give the reader what it needs; replace it by what `landbridge rbac --namespaced` prints (`kubectl replace --force`), or remove it and let the worker make it", notOurs.Kind, notOurs.Name)}
	}
	w.Note(fleet.Change{Action: fleet.Keep, Kind: notOurs.Kind, Name: notOurs.Name, Note: noteExisting})
	return nil
}

// applyReader applies an object of an account that may be reading at this moment.
func applyReader(ctx context.Context, w *kube.Writer, obj any) error {
	if binding, ok := obj.(*rbacv1.ClusterRoleBinding); ok {
		return rebind(ctx, w, binding)
	}
	return w.Apply(ctx, obj)
}

func roleGives(ctx context.Context, w *kube.Writer, want *rbacv1.ClusterRole) (bool, error) {
	live, err := w.Client.RbacV1().ClusterRoles().Get(ctx, want.Name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	covered, _ := validation.Covers(live.Rules, want.Rules)
	return covered, nil
}

func bindingGives(ctx context.Context, w *kube.Writer, want *rbacv1.ClusterRoleBinding) (bool, error) {
	live, err := w.Client.RbacV1().ClusterRoleBindings().Get(ctx, want.Name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	return live.RoleRef == want.RoleRef && slices.Contains(live.Subjects, want.Subjects[0]), nil
}
