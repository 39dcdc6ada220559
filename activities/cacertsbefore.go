package activities

import (
	"bytes"
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	componentCACertsBefore = componentCACerts + "-before"
	// beforeSecret keeps the cacerts that a rotation replaces until the new one is proven.
	beforeSecret = "landbridge-cacerts-before"
)

// keepBefore keeps the cacerts that is in force, which the one of the input is about to
// replace. A try before this one may have replaced it already.
func keepBefore(ctx context.Context, w *kube.Writer, in api.EnsureCACertsInput) error {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if live == nil || err != nil || bytes.Equal(set.CACert, intermediateOf(in)) {
		return err
	}
	before := aside(w)
	// A run that was ended from outside may have left one. What is in force now is newer.
	if err := before.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, ""); err != nil {
		return err
	}
	return before.Apply(ctx, secret(fleet.SystemNamespace, beforeSecret, corev1.SecretTypeOpaque, live.Data))
}

// aside returns a writer of the same cluster for what is kept of a cacerts.
func aside(w *kube.Writer) *kube.Writer {
	before := &kube.Writer{Cluster: w.Cluster, DryRun: w.DryRun, ForceConflicts: w.ForceConflicts, Owner: w.Owner, Lock: w.Lock}
	before.Owner.Component = componentCACertsBefore
	return before
}

// PutBackCACerts puts the cacerts back that this run replaced, key included, and removes what
// was kept of it. Where the run replaced none, it does nothing.
func (a *Activities) PutBackCACerts(ctx context.Context, in api.PutBackCACertsInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACerts, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	kept, err := readSecret(ctx, w.Cluster, fleet.SystemNamespace, beforeSecret)
	if err != nil || kept == nil || kept.Annotations[fleet.AnnotationRun] != in.Run {
		return fleet.Changes{}, err
	}
	if err := checkKept(ctx, w.Cluster, certs.CACertsFrom(kept.Data)); err != nil {
		return fleet.Changes{}, err
	}
	if err := w.Apply(ctx, secret(in.Namespace, fleet.CACerts, corev1.SecretTypeOpaque, kept.Data)); err != nil {
		return fleet.Changes{}, err
	}
	return w.Changes(), aside(w).Remove(ctx, kinds.Secrets, fleet.SystemNamespace, "")
}

// RetireCACerts removes what was kept of the cacerts before: the new one is proven.
func (a *Activities) RetireCACerts(ctx context.Context, in api.RetireCACertsInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentCACertsBefore, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	err = w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, "")
	return w.Changes(), err
}
