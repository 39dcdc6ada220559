package activities

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentToken = "reader-token"

// EnsureReaderToken does the target's half of the guide's last step: it makes a token of the
// account of this one source, checks the CA bundle that comes with it against the API server,
// and seals both to the source, whose own key that must be. A token that is due makes place for a new one; the old one
// stays in force until RetireReaderTokens removes it.
func (a *Activities) EnsureReaderToken(ctx context.Context, in api.EnsureReaderTokenInput) (api.EnsureReaderTokenResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentToken, in.Link.ID())
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	if err := a.checkRecipient(ctx, w.Cluster, in); err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	have, err := readerTokens(ctx, w, in)
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	uid, err := readerAccountOf(ctx, w, in)
	if err != nil {
		return api.EnsureReaderTokenResult{}, err
	}
	use, older := choose(have, in, uid, time.Now())
	out := api.EnsureReaderTokenResult{Secret: use.Name, Older: len(older), TokenFacts: use.facts()}
	if err := w.Apply(ctx, use.manifest()); err != nil || in.DryRun {
		if before := inForce(older, time.Now()); before != nil && use.Issued.IsZero() {
			out.TokenFacts = before.facts() // a dry run renews nothing
		}
		out.Changes = w.Changes()
		return out, err
	}
	out.Changes = w.Changes()
	if err := use.fill(ctx, w, in.Lifetime); err != nil {
		return out, err
	}
	out.TokenFacts = use.facts()
	if err := w.CheckTLS(ctx, in.TLSServerName, use.CA); err != nil && !in.ServerNameUnchecked {
		return out, &kube.DeadEndError{Reason: err.Error()}
	}
	if out.Sealed, err = seal(in.Recipient, use.credentials); err != nil {
		return out, err
	}
	if before := inForce(older, time.Now()); before != nil && out.Created() {
		out.Before, err = seal(in.Recipient, before.credentials)
	}
	return out, err
}

// RemoveReaderToken undoes EnsureReaderToken. A token is refused once its Secret is gone.
func (a *Activities) RemoveReaderToken(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentToken, in.Namespace, kinds.Secrets)
}

// RetireReaderTokens removes a source's tokens but the one in force, once that one is proven.
func (a *Activities) RetireReaderTokens(ctx context.Context, in api.RetireReaderTokensInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentToken, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	all, err := w.Owned(ctx, kinds.Secrets, in.Namespace, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	for i := range all {
		if all[i].GetName() == in.Keep {
			continue
		}
		if err := w.Delete(ctx, kinds.Secrets, &all[i]); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// readerAccountOf returns the UID of the account of a source, or "" in a plan that would make it.
func readerAccountOf(ctx context.Context, w *kube.Writer, in api.EnsureReaderTokenInput) (string, error) {
	name := fleet.Reader(in.Link.From)
	account, err := w.Client.CoreV1().ServiceAccounts(in.Namespace).Get(ctx, name, metav1.GetOptions{})
	if in.DryRun && apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read ServiceAccount %s/%s: %w", in.Namespace, name, err)
	}
	return string(account.UID), nil
}
