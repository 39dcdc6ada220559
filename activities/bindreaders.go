package activities

import (
	"context"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
)

// BindReaders gives the accounts that read this cluster with Istio's own role that of the Istio
// which was installed a moment ago. An Istio that is updated by revisions has a role for each of
// them, and Sail removes a revision with its role as soon as nothing uses it: when the gateways
// have moved on, the other clusters would lose sight of this one until their links are
// rolled out. Bindings that an administrator made are theirs to change.
func (a *Activities) BindReaders(ctx context.Context, in api.BindReadersInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentReader, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	bindings, err := w.Owned(ctx, kinds.ClusterRoleBindings, "", "")
	if err != nil {
		return fleet.Changes{}, err
	}
	role := rights.IstioReader(in.Namespace, in.Revision)
	for _, b := range bindings {
		bound, _, _ := unstructured.NestedString(b.Object, "roleRef", "name")
		if bound == role || !strings.HasPrefix(bound, rights.IstioReaderPrefix) || strings.HasSuffix(b.GetName(), meanwhile) {
			continue
		}
		w.Owner.Link = b.GetLabels()[fleet.LabelLink]
		if err := rebind(ctx, w, rights.ReaderBinding(in.Namespace, b.GetName(), role)); err != nil {
			return w.Changes(), err
		}
	}
	for _, b := range bindings {
		if strings.HasSuffix(b.GetName(), meanwhile) { // of a try that died
			if err := w.Delete(ctx, kinds.ClusterRoleBindings, &b); err != nil {
				return w.Changes(), err
			}
		}
	}
	return w.Changes(), nil
}

// meanwhile ends the name of a binding that lets an account in while its own is made anew.
const meanwhile = "-meanwhile"

// rebind applies an account's binding. One that has another role is bound to it for good, so it
// is deleted and made anew, and without another one the account would be refused in between.
func rebind(ctx context.Context, w *kube.Writer, binding *rbacv1.ClusterRoleBinding) error {
	live, err := w.Client.RbacV1().ClusterRoleBindings().Get(ctx, binding.Name, metav1.GetOptions{})
	if w.DryRun || err != nil || live.Labels[fleet.LabelFleet] != w.Owner.Fleet {
		return w.Apply(ctx, binding) // is none of ours yet, or says itself what is wrong
	}
	bridge := binding.DeepCopy()
	bridge.Name += meanwhile
	if live.RoleRef != binding.RoleRef {
		if err := w.Apply(ctx, bridge); err != nil {
			return err
		}
	}
	if err := w.Apply(ctx, binding); err != nil {
		return err
	}
	used, err := w.Get(ctx, kinds.ClusterRoleBindings, "", bridge.Name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.Delete(ctx, kinds.ClusterRoleBindings, used) // a try that died may have left it
}
