package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// rootCA is Kubernetes' ConfigMap with the CA bundle of its API server, in every namespace.
const rootCA = "kube-root-ca.crt"

// readerToken is one token of a source, with the Secret that keeps it in the target. One that
// does not end is filled and kept by Kubernetes. One that ends is asked for and bound to its
// Secret, so that it is refused, as the other kind is, once that Secret is gone.
type readerToken struct {
	credentials
	Namespace, Name string
	// Account that it belongs to, and its UID.
	Account, UID string
	// Bound says that it ends.
	Bound        bool
	Issued, Ends time.Time
	// Run made it.
	Run    string
	number int
}

// readerTokens lists a source's tokens, the newest first.
func readerTokens(ctx context.Context, w *kube.Writer, in api.EnsureReaderTokenInput) (out []readerToken, err error) {
	all, err := w.Owned(ctx, kinds.Secrets, in.Namespace, "")
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		var s corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &s); err != nil {
			return nil, fmt.Errorf("read Secret %s/%s: %w", u.GetNamespace(), u.GetName(), err)
		}
		ends, _ := time.Parse(time.RFC3339, s.Annotations[fleet.AnnotationTokenEnds])
		out = append(out, readerToken{credentials: credentials{CA: s.Data[corev1.ServiceAccountRootCAKey], Token: s.Data[corev1.ServiceAccountTokenKey]},
			Namespace: s.Namespace, Name: s.Name, Account: s.Annotations[corev1.ServiceAccountNameKey], UID: s.Annotations[corev1.ServiceAccountUIDKey],
			Bound: s.Type != corev1.SecretTypeServiceAccountToken, Issued: s.CreationTimestamp.Time, Ends: ends,
			Run: s.Annotations[fleet.AnnotationRun], number: fleet.ReaderTokenNumber(in.Link.From, s.Name)})
	}
	slices.SortStableFunc(out, func(a, b readerToken) int { return b.number - a.number })
	return out, nil
}

// choose returns the token to use, which may be still to make, and the others.
func choose(have []readerToken, in api.EnsureReaderTokenInput, uid string, now time.Time) (use readerToken, others []readerToken) {
	if len(have) > 0 && have[0].good(in, uid, now) {
		return have[0], have[1:]
	}
	next := 1
	if len(have) > 0 {
		next += have[0].number
	}
	return readerToken{Namespace: in.Namespace, Name: fleet.ReaderToken(in.Link.From, next), Account: fleet.Reader(in.Link.From), UID: uid, Bound: in.Lifetime > 0}, have
}

// good says whether a token goes on being used. One that this run began goes on being made.
func (t readerToken) good(in api.EnsureReaderTokenInput, uid string, now time.Time) bool {
	made := t.Run == in.Run
	switch {
	case t.number == 0 || t.Account != fleet.Reader(in.Link.From) || t.Bound != (in.Lifetime > 0):
		return false
	case t.UID != "" && t.UID != uid:
		return false // the account was made anew, and its tokens ended
	case t.Issued.Before(in.IssuedBefore) && !made:
		return false
	case !t.Bound || made && len(t.Token) == 0:
		return true
	case len(t.Token) == 0 || t.Ends.IsZero() || t.Ends.Sub(t.Issued) > in.Lifetime+time.Minute:
		return false
	}
	return now.Before(fleet.TokenDue(t.Issued, t.Ends))
}

func (t readerToken) facts() api.TokenFacts { return api.TokenFacts{Issued: t.Issued, Ends: t.Ends} }

// manifest returns its Secret, without the token where that is Kubernetes' to fill.
func (t readerToken) manifest() *corev1.Secret {
	typ, data := corev1.SecretTypeServiceAccountToken, map[string][]byte(nil)
	notes := map[string]string{corev1.ServiceAccountNameKey: t.Account}
	if t.Bound {
		typ = corev1.SecretTypeOpaque
		notes[corev1.ServiceAccountUIDKey] = t.UID
		if len(t.Token) > 0 {
			data = map[string][]byte{corev1.ServiceAccountTokenKey: t.Token, corev1.ServiceAccountRootCAKey: t.CA}
			notes[fleet.AnnotationTokenEnds] = t.Ends.UTC().Format(time.RFC3339)
		}
	}
	s := secret(t.Namespace, t.Name, typ, data)
	s.Annotations = notes
	return s
}

// fill gets the token, where it is not there yet.
func (t *readerToken) fill(ctx context.Context, w *kube.Writer, lifetime time.Duration) (err error) {
	switch {
	case !t.Bound:
		t.credentials, t.Issued, err = waitToken(ctx, w.Cluster, t.manifest())
		return err
	case len(t.Token) > 0:
		return nil
	}
	live, err := w.Client.CoreV1().Secrets(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read Secret %s/%s: %w", t.Namespace, t.Name, err)
	}
	bundle, err := w.Client.CoreV1().ConfigMaps(t.Namespace).Get(ctx, rootCA, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read ConfigMap %s/%s, which has the CA of the API server: %w", t.Namespace, rootCA, err)
	}
	seconds := int64(lifetime / time.Second)
	answer, err := w.Client.CoreV1().ServiceAccounts(t.Namespace).CreateToken(ctx, t.Account, &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef:    &authv1.BoundObjectReference{APIVersion: "v1", Kind: kinds.Secrets.Kind, Name: t.Name, UID: live.UID}}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token of ServiceAccount %s/%s: %w", t.Namespace, t.Account, err)
	}
	t.Token, t.CA = []byte(answer.Status.Token), []byte(bundle.Data[corev1.ServiceAccountRootCAKey])
	t.Issued, t.Ends = live.CreationTimestamp.Time, answer.Status.ExpirationTimestamp.Time
	return w.Apply(ctx, t.manifest())
}

// inForce returns the newest of some tokens that has not ended, or nil.
func inForce(tokens []readerToken, now time.Time) *readerToken {
	for i, t := range tokens {
		if len(t.Token) > 0 && (t.Ends.IsZero() || now.Before(t.Ends)) {
			return &tokens[i]
		}
	}
	return nil
}

// waitToken waits until Kubernetes has filled a token Secret, and says when that was made.
// Where Kubernetes has deleted the Secret, since its account was gone, the step is to be tried
// again.
func waitToken(ctx context.Context, c *kube.Cluster, want *corev1.Secret) (got credentials, made time.Time, err error) {
	about := &unstructured.Unstructured{}
	about.SetKind(kinds.Secrets.Kind)
	about.SetNamespace(want.Namespace)
	about.SetName(want.Name)
	err = c.WaitObject(ctx, func(ctx context.Context) (*unstructured.Unstructured, string, bool, error) {
		s, err := c.Client.CoreV1().Secrets(want.Namespace).Get(ctx, want.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return about, "", false, &kube.NotReadyError{Waiting: fmt.Sprintf("Kubernetes removed Secret %s/%s before it had a token: ServiceAccount %s seems to be missing", want.Namespace, want.Name, want.Annotations[corev1.ServiceAccountNameKey])}
		}
		if err != nil {
			return about, "", false, err
		}
		got, made = credentials{CA: s.Data[corev1.ServiceAccountRootCAKey], Token: s.Data[corev1.ServiceAccountTokenKey]}, s.CreationTimestamp.Time
		return about, fmt.Sprintf("Secret %s/%s has no token yet", want.Namespace, want.Name), len(got.CA) > 0 && len(got.Token) > 0, nil
	}, kube.Watched{Resource: kinds.Secrets, Namespace: want.Namespace, Name: want.Name})
	return got, made, err
}
