package activities

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentToken = "reader-token"

// EnsureReaderToken does the target's half of the guide's last step: it makes a
// token of the reader for this one source, so that its removal shuts out this source
// alone, checks the CA bundle that comes with it against the API server, and seals
// both to the source.
func (a *Activities) EnsureReaderToken(ctx context.Context, in api.EnsureReaderTokenInput) (api.EnsureReaderTokenResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentToken, in.Link.ID())
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	want := readerToken(in)
	if err := w.Apply(ctx, want); err != nil || in.DryRun {
		return api.EnsureReaderTokenResult{Changes: w.Changes()}, err
	}
	got, err := waitToken(ctx, w.Cluster, want)
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	if err := w.CheckTLS(ctx, in.TLSServerName, got.CA); err != nil && !in.ServerNameUnchecked {
		return api.EnsureReaderTokenResult{}, &kube.DeadEndError{Reason: err.Error()}
	}
	sealed, err := seal(in.Recipient, got)
	return api.EnsureReaderTokenResult{Changes: w.Changes(), Sealed: sealed}, err
}

// RemoveReaderToken undoes EnsureReaderToken. A token Secret never expires: a copy
// of its token works until the Secret is gone.
func (a *Activities) RemoveReaderToken(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentToken, in.Namespace, kinds.Secrets)
}

func readerToken(in api.EnsureReaderTokenInput) *corev1.Secret {
	s := secret(in.Namespace, fleet.ReaderToken(in.Link.From), corev1.SecretTypeServiceAccountToken, nil)
	s.Annotations = map[string]string{corev1.ServiceAccountNameKey: readerAccount}
	return s
}

// waitToken waits until Kubernetes has filled a token Secret. Where Kubernetes has
// deleted the Secret, since its account was gone, the step is to be tried again.
func waitToken(ctx context.Context, c *kube.Cluster, want *corev1.Secret) (got credentials, err error) {
	about := &unstructured.Unstructured{}
	about.SetKind(kinds.Secrets.Kind)
	about.SetNamespace(want.Namespace)
	about.SetName(want.Name)
	err = c.PollObject(ctx, func(ctx context.Context) (*unstructured.Unstructured, string, bool, error) {
		s, err := c.Client.CoreV1().Secrets(want.Namespace).Get(ctx, want.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return about, "", false, &kube.NotReadyError{Waiting: fmt.Sprintf("Kubernetes removed Secret %s/%s before it had a token: ServiceAccount %s seems to be missing", want.Namespace, want.Name, readerAccount)}
		}
		if err != nil {
			return about, "", false, err
		}
		got = credentials{CA: s.Data[corev1.ServiceAccountRootCAKey], Token: s.Data[corev1.ServiceAccountTokenKey]}
		return about, fmt.Sprintf("Secret %s/%s has no token yet", want.Namespace, want.Name), len(got.CA) > 0 && len(got.Token) > 0, nil
	})
	return got, err
}
