package activities

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
)

const (
	readerAccount   = "istio-reader-service-account"
	readerBinding   = "landbridge-istio-reader"
	componentReader = "reader"
	componentToken  = "reader-token"
)

// EnsureReader makes the account that the others read this cluster with, and
// its binding. Istio installs both from release 1.26; what is there is left alone.
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
		w.Note(fleet.Change{Action: fleet.Keep, Kind: "ServiceAccount", Namespace: in.Namespace, Name: readerAccount, Note: "Istio's own"})
		return w.Changes(), nil
	}
	for _, obj := range []any{
		&corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: readerAccount}},
		&rbacv1.ClusterRoleBinding{TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: readerBinding},
			RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: rights.ReaderRole(in.Namespace, in.IstioName)},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: in.Namespace, Name: readerAccount}}},
	} {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveReader undoes EnsureReader.
func (a *Activities) RemoveReader(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	if r, err := a.removeAll(ctx, in, componentReader, "", kinds.ClusterRoleBindings); err != nil {
		return r, err
	}
	return a.removeAll(ctx, in, componentReader, in.Namespace, kinds.ServiceAccounts)
}

// EnsureReaderToken is the target's half of the guide's last step: a token of
// the reader for this one source, so that removing it shuts out this one alone.
// The bundle that goes with it was checked against the API server.
func (a *Activities) EnsureReaderToken(ctx context.Context, in api.EnsureReaderTokenInput) (api.EnsureReaderTokenResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentToken, in.Link.ID())
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	want := secret(in.Namespace, fleet.ReaderToken(in.Link.From), corev1.SecretTypeServiceAccountToken, nil)
	want.Annotations = map[string]string{corev1.ServiceAccountNameKey: readerAccount}
	if err := w.Apply(ctx, want); err != nil || in.DryRun {
		return api.EnsureReaderTokenResult{Changes: w.Changes()}, err
	}
	var got credentials
	if err := kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		s, err := w.Client.CoreV1().Secrets(in.Namespace).Get(ctx, want.Name, metav1.GetOptions{})
		if err != nil {
			return "", false, err
		}
		got = credentials{CA: s.Data[corev1.ServiceAccountRootCAKey], Token: s.Data[corev1.ServiceAccountTokenKey]}
		return fmt.Sprintf("Secret %s/%s has no token yet", in.Namespace, want.Name), len(got.CA) > 0 && len(got.Token) > 0, nil
	}); err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	if err := w.CheckTLS(ctx, in.TLSServerName, got.CA); err != nil {
		return api.EnsureReaderTokenResult{}, &kube.DeadEndError{Reason: err.Error()}
	}
	sealed, err := seal(in.Recipient, got)
	return api.EnsureReaderTokenResult{Changes: w.Changes(), Sealed: sealed}, err
}

// RemoveReaderToken undoes EnsureReaderToken. A token Secret never expires: a
// copy of its token works until the Secret is gone.
func (a *Activities) RemoveReaderToken(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentToken, in.Namespace, kinds.Secrets)
}
