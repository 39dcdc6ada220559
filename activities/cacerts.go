package activities

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	pendingSecret   = "landbridge-intermediate"
	pendingKey      = "ca-key.pem"
	componentKey    = "intermediate-key"
	componentCACert = "cacerts"
)

// EnsureIntermediateKey is step 3 on the cluster's side: the intermediate's key
// is made here and waits in a Secret of this cluster until its certificate
// comes. A cacerts that is good needs none; one that another root issued is
// refused.
func (a *Activities) EnsureIntermediateKey(ctx context.Context, in api.EnsureIntermediateKeyInput) (api.EnsureIntermediateKeyResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentKey, "")
	if err != nil {
		return api.EnsureIntermediateKeyResult{}, err
	}
	good, err := currentCACerts(ctx, w, in)
	if err != nil {
		return api.EnsureIntermediateKeyResult{}, err
	}
	if good != nil {
		facts, err := certs.Describe(good)
		return api.EnsureIntermediateKeyResult{Current: true, Facts: api.CertificateFacts(facts)}, err
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return api.EnsureIntermediateKeyResult{}, err
	}
	if key == nil && !in.DryRun {
		if key, _, err = certs.NewRequest(certSpec(in.Spec)); err != nil {
			return api.EnsureIntermediateKeyResult{}, err
		}
	}
	if err := w.Apply(ctx, secret(fleet.SystemNamespace, pendingSecret, corev1.SecretTypeOpaque, map[string][]byte{pendingKey: key})); err != nil || in.DryRun {
		return api.EnsureIntermediateKeyResult{Changes: w.Changes()}, err
	}
	csr, err := certs.RequestFor(key, certSpec(in.Spec))
	return api.EnsureIntermediateKeyResult{Changes: w.Changes(), CSR: string(csr)}, err
}

// RemoveIntermediateKey undoes EnsureIntermediateKey.
func (a *Activities) RemoveIntermediateKey(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentKey, fleet.SystemNamespace, kinds.Secrets)
}

// currentCACerts is the certificate of the cluster's cacerts where that can stay,
// else nil. A foreign one stays when it is good under the fleet's root, and is
// refused otherwise.
func currentCACerts(ctx context.Context, w *kube.Writer, in api.EnsureIntermediateKeyInput) ([]byte, error) {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if err != nil || live == nil {
		return nil, err
	}
	bad := set.Check([]byte(in.RootPEM))
	if live.Labels[fleet.LabelFleet] != in.Fleet {
		if in.RootPEM == "" {
			bad = fmt.Errorf("the fleet has no root yet that could have issued it")
		}
		if bad != nil {
			return nil, &kube.DeadEndError{Reason: fmt.Sprintf("Secret %s/%s is there already and is not Landbridge's: %v; remove it, or keep the root that issued it as the fleet's", in.Namespace, fleet.CACerts, bad)}
		}
		return set.CACert, nil
	}
	if bad != nil || certs.CheckIntermediate(set.CACert, []byte(in.RootPEM), certSpec(in.Spec)) != nil {
		return nil, nil
	}
	if renew, err := certs.NeedsRenewal(set.CACert, time.Now()); renew || err != nil {
		return nil, err
	}
	return set.CACert, nil
}

// EnsureCACerts is step 5: the Secret cacerts, before istiod starts. The key
// moves from where it waited into cacerts and never leaves the cluster.
func (a *Activities) EnsureCACerts(ctx context.Context, in api.EnsureCACertsInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACert, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if in.Current {
		w.Note(fleet.Change{Action: fleet.Keep, Kind: "Secret", Namespace: in.Namespace, Name: fleet.CACerts})
		return w.Changes(), nil
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return fleet.Changes{}, err
	}
	if key == nil {
		return ensuredBefore(ctx, w, in)
	}
	set := certs.NewCACerts([]byte(in.RootPEM), []byte(in.CertPEM), key)
	if !in.DryRun {
		if err := set.Check([]byte(in.RootPEM)); err != nil {
			return fleet.Changes{}, &kube.DeadEndError{Reason: fmt.Sprintf("the new cacerts is not good: %v", err)}
		}
	}
	if err := w.Apply(ctx, secret(in.Namespace, fleet.CACerts, corev1.SecretTypeOpaque, set.Data())); err != nil {
		return fleet.Changes{}, err
	}
	changes := w.Changes()
	w.Owner.Component = componentKey
	return changes, w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, "")
}

// ensuredBefore is the answer when no key waits: a try before this one finished,
// or this is a dry run in which none was made.
func ensuredBefore(ctx context.Context, w *kube.Writer, in api.EnsureCACertsInput) (fleet.Changes, error) {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	ch := fleet.Change{Action: fleet.Create, Kind: "Secret", Namespace: in.Namespace, Name: fleet.CACerts}
	if live != nil {
		ch.Action = fleet.Update
	}
	if !in.DryRun && (live == nil || !bytes.Equal(set.CACert, []byte(in.CertPEM))) {
		return fleet.Changes{}, &kube.DeadEndError{Reason: fmt.Sprintf("the key that waited in Secret %s/%s is gone; roll out again", fleet.SystemNamespace, pendingSecret)}
	}
	w.Note(ch)
	return w.Changes(), nil
}

// RemoveCACerts undoes step 5. A cacerts that was there before is not ours.
func (a *Activities) RemoveCACerts(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentCACert, in.Namespace, kinds.Secrets)
}

func readCACerts(ctx context.Context, c *kube.Cluster, namespace string) (*corev1.Secret, certs.CACerts, error) {
	s, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, fleet.CACerts, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, certs.CACerts{}, nil
	}
	if err != nil {
		return nil, certs.CACerts{}, wrap(err, "read Secret %s/%s", namespace, fleet.CACerts)
	}
	return s, certs.CACertsFrom(s.Data), nil
}

// readSecretKey reads one key of a Secret, or nil where there is none.
func readSecretKey(ctx context.Context, c *kube.Cluster, namespace, name, key string) ([]byte, error) {
	s, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "read Secret %s/%s", namespace, name)
	}
	return s.Data[key], nil
}
