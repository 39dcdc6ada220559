package activities

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentCACerts = "cacerts"

// EnsureCACerts does step 5: it writes the Secret cacerts before istiod starts. The
// key moves from where it waited into cacerts and never leaves the cluster.
func (a *Activities) EnsureCACerts(ctx context.Context, in api.EnsureCACertsInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACerts, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := checkRoot(ctx, w.Cluster, in.RootPEM, in.TrustPEM, in.DryRun); err != nil {
		return fleet.Changes{}, err
	}
	if in.Current {
		return ensuredBefore(ctx, w, in, fleet.Keep)
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return fleet.Changes{}, err
	}
	if key == nil {
		return ensuredBefore(ctx, w, in, fleet.Update)
	}
	trust := []byte(cmp.Or(in.TrustPEM, in.RootPEM))
	set := certs.NewCACerts(trust, []byte(in.CertPEM), key)
	if !in.DryRun {
		if err := set.Check(trust); err != nil {
			return fleet.Changes{}, &kube.DeadEndError{Reason: fmt.Sprintf("the new cacerts is not good: %v", err)}
		}
	}
	if in.KeepBefore {
		if err := keepBefore(ctx, w, in); err != nil {
			return fleet.Changes{}, err
		}
	}
	if err := w.Apply(ctx, secret(in.Namespace, fleet.CACerts, corev1.SecretTypeOpaque, set.Data())); err != nil {
		return fleet.Changes{}, err
	}
	changes := w.Changes()
	w.Owner.Component = componentIntermediate
	return changes, w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, "")
}

// ensuredBefore answers when no key waits: the cacerts is good as it is, a try before
// this one finished, or this is a dry run in which no key was made.
func ensuredBefore(ctx context.Context, w *kube.Writer, in api.EnsureCACertsInput, action fleet.Action) (fleet.Changes, error) {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	ch := fleet.Change{Action: fleet.Create, Kind: kinds.Secrets.Kind, Namespace: in.Namespace, Name: fleet.CACerts}
	if live != nil {
		ch.Action = w.Owner.Since(action, live.Annotations)
	}
	if !in.DryRun && (live == nil || !in.Current && !bytes.Equal(set.CACert, intermediateOf(in))) {
		return fleet.Changes{}, &kube.DeadEndError{Reason: fmt.Sprintf("the key that waited in Secret %s/%s is gone; roll out again", fleet.SystemNamespace, pendingSecret)}
	}
	w.Note(ch)
	return w.Changes(), nil
}

// RemoveCACerts undoes EnsureCACerts. A cacerts that existed before stays. What a rotation that
// was ended from outside left of one goes, too.
func (a *Activities) RemoveCACerts(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	removed, err := a.removeAll(ctx, in, componentCACerts, in.Namespace, kinds.Secrets)
	if err != nil {
		return removed, err
	}
	before, err := a.removeAll(ctx, in, componentCACertsBefore, fleet.SystemNamespace, kinds.Secrets)
	removed.Changes = append(removed.Changes, before.Changes...)
	return removed, err
}

// intermediateOf returns the intermediate of an input, without the CAs between it and the root.
func intermediateOf(in api.EnsureCACertsInput) []byte {
	return certs.NewCACerts(nil, []byte(in.CertPEM), nil).CACert
}

// readCACerts reads the Secret cacerts, or returns nil where there is none.
func readCACerts(ctx context.Context, c *kube.Cluster, namespace string) (*corev1.Secret, certs.CACerts, error) {
	s, err := readSecret(ctx, c, namespace, fleet.CACerts)
	if s == nil || err != nil {
		return nil, certs.CACerts{}, err
	}
	return s, certs.CACertsFrom(s.Data), nil
}
