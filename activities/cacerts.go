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
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	cacertsSecret   = "cacerts"
	pendingSecret   = "landbridge-intermediate"
	pendingKey      = "ca-key.pem"
	componentKey    = "intermediate-key"
	componentCACert = "cacerts"
)

// EnsureIntermediateKeyInput says what the cluster's intermediate is to be, and
// under which root.
type EnsureIntermediateKeyInput struct {
	ClusterRef
	Spec    IntermediateSpec `json:"spec"`
	RootPEM string           `json:"rootPEM"`
}

// EnsureIntermediateKeyResult is a CSR, or the news that none is needed.
type EnsureIntermediateKeyResult struct {
	fleet.Changes
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	CSR     string `json:"csr,omitempty"`
	// Facts of the certificate that is good.
	Facts certs.Facts `json:"facts,omitzero"`
}

// EnsureIntermediateKey is step 3 on the cluster's side: the intermediate's key
// is made here and waits in a Secret of this cluster until its certificate
// comes. A cacerts that is good needs none; one that another root issued is
// refused.
func (a *Activities) EnsureIntermediateKey(ctx context.Context, in EnsureIntermediateKeyInput) (EnsureIntermediateKeyResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentKey, "")
	if err != nil {
		return EnsureIntermediateKeyResult{}, err
	}
	good, err := currentCACerts(ctx, w, in)
	if err != nil {
		return EnsureIntermediateKeyResult{}, err
	}
	if good != nil {
		facts, err := certs.Describe(good)
		return EnsureIntermediateKeyResult{Current: true, Facts: facts}, err
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return EnsureIntermediateKeyResult{}, err
	}
	if key == nil && !in.DryRun {
		if key, _, err = certs.NewRequest(in.Spec.certs()); err != nil {
			return EnsureIntermediateKeyResult{}, err
		}
	}
	if err := w.Apply(ctx, secret(fleet.SystemNamespace, pendingSecret, corev1.SecretTypeOpaque, map[string][]byte{pendingKey: key})); err != nil || in.DryRun {
		return EnsureIntermediateKeyResult{Changes: w.Changes()}, err
	}
	csr, err := certs.RequestFor(key, in.Spec.certs())
	return EnsureIntermediateKeyResult{Changes: w.Changes(), CSR: string(csr)}, err
}

// RemoveIntermediateKey undoes EnsureIntermediateKey.
func (a *Activities) RemoveIntermediateKey(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	return a.removeAll(ctx, in, componentKey, fleet.SystemNamespace, kube.Secrets)
}

// currentCACerts is the certificate of the cluster's cacerts where that can stay,
// else nil. A foreign one stays when it is good under the fleet's root, and is
// refused otherwise.
func currentCACerts(ctx context.Context, w *kube.Writer, in EnsureIntermediateKeyInput) ([]byte, error) {
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
			return nil, &DeadEndError{fmt.Sprintf("Secret %s/%s is there already and is not Landbridge's: %v; remove it, or keep the root that issued it as the fleet's", in.Namespace, cacertsSecret, bad)}
		}
		return set.CACert, nil
	}
	if bad != nil || certs.CheckIntermediate(set.CACert, []byte(in.RootPEM), in.Spec.certs()) != nil {
		return nil, nil
	}
	if renew, err := certs.NeedsRenewal(set.CACert, time.Now()); renew || err != nil {
		return nil, err
	}
	return set.CACert, nil
}

// EnsureCACertsInput is the certificate for the key that waits in the cluster.
type EnsureCACertsInput struct {
	ClusterRef
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	RootPEM string `json:"rootPEM"`
	CertPEM string `json:"certPEM"`
}

// EnsureCACertsResult is what was written.
type EnsureCACertsResult struct{ fleet.Changes }

// EnsureCACerts is step 5: the Secret cacerts, before istiod starts. The key
// moves from where it waited into cacerts and never leaves the cluster.
func (a *Activities) EnsureCACerts(ctx context.Context, in EnsureCACertsInput) (EnsureCACertsResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACert, "")
	if err != nil {
		return EnsureCACertsResult{}, err
	}
	if in.Current {
		w.Note(fleet.Change{Action: fleet.Keep, Kind: "Secret", Namespace: in.Namespace, Name: cacertsSecret})
		return EnsureCACertsResult{w.Changes()}, nil
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return EnsureCACertsResult{}, err
	}
	if key == nil {
		return ensuredBefore(ctx, w, in)
	}
	set := certs.NewCACerts([]byte(in.RootPEM), []byte(in.CertPEM), key)
	if !in.DryRun {
		if err := set.Check([]byte(in.RootPEM)); err != nil {
			return EnsureCACertsResult{}, &DeadEndError{fmt.Sprintf("the new cacerts is not good: %v", err)}
		}
	}
	if err := w.Apply(ctx, secret(in.Namespace, cacertsSecret, corev1.SecretTypeOpaque, set.Data())); err != nil {
		return EnsureCACertsResult{}, err
	}
	changes := w.Changes()
	w.Owner.Component = componentKey
	return EnsureCACertsResult{changes}, w.Remove(ctx, kube.Secrets, fleet.SystemNamespace, "")
}

// ensuredBefore is the answer when no key waits: a try before this one finished,
// or this is a dry run in which none was made.
func ensuredBefore(ctx context.Context, w *kube.Writer, in EnsureCACertsInput) (EnsureCACertsResult, error) {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if err != nil {
		return EnsureCACertsResult{}, err
	}
	ch := fleet.Change{Action: fleet.Create, Kind: "Secret", Namespace: in.Namespace, Name: cacertsSecret}
	if live != nil {
		ch.Action = fleet.Update
	}
	if !in.DryRun && (live == nil || !bytes.Equal(set.CACert, []byte(in.CertPEM))) {
		return EnsureCACertsResult{}, &DeadEndError{fmt.Sprintf("the key that waited in Secret %s/%s is gone; roll out again", fleet.SystemNamespace, pendingSecret)}
	}
	w.Note(ch)
	return EnsureCACertsResult{w.Changes()}, nil
}

// RemoveCACerts undoes step 5. A cacerts that was there before is not ours.
func (a *Activities) RemoveCACerts(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	return a.removeAll(ctx, in, componentCACert, in.Namespace, kube.Secrets)
}

func readCACerts(ctx context.Context, c *kube.Cluster, namespace string) (*corev1.Secret, certs.CACerts, error) {
	s, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, cacertsSecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, certs.CACerts{}, nil
	}
	if err != nil {
		return nil, certs.CACerts{}, wrap(err, "read Secret %s/%s", namespace, cacertsSecret)
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
