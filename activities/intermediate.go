package activities

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	componentIntermediate = "intermediate-key"
	// pendingSecret keeps an intermediate's key until its certificate comes.
	pendingSecret = "landbridge-intermediate"
	pendingKey    = "ca-key.pem"
)

// EnsureIntermediateKey does step 3 on the cluster's side: it makes the key of the
// intermediate and keeps it in a Secret of this cluster until its certificate
// comes. A good cacerts needs no new key, unless one is asked for; one that another root
// issued is refused.
func (a *Activities) EnsureIntermediateKey(ctx context.Context, in api.EnsureIntermediateKeyInput) (api.EnsureIntermediateKeyResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentIntermediate, "")
	if err != nil {
		return api.EnsureIntermediateKeyResult{}, err
	}
	if err := checkRoot(ctx, w.Cluster, in.RootPEM, in.TrustPEM, in.DryRun); err != nil {
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
	if key != nil {
		// The fleet file may have asked for another one when that key was made.
		if fits, err := certs.KeyIs(key, in.Spec.KeyAlgorithm); err != nil || !fits {
			key = nil
		}
	}
	name := strings.Join([]string{"intermediate", in.Fleet, in.Cluster, in.Run, in.Spec.KeyAlgorithm}, "/")
	if key == nil && !in.DryRun {
		kube.Waiting(ctx, "a key is being made")
		key, err = makeKey(ctx, &a.keys, name, func() ([]byte, error) {
			key, _, err := certs.NewRequest(certSpec(in.Spec))
			return key, err
		})
		if err != nil {
			return api.EnsureIntermediateKeyResult{}, err
		}
	}
	if err := w.Apply(ctx, secret(fleet.SystemNamespace, pendingSecret, corev1.SecretTypeOpaque, map[string][]byte{pendingKey: key})); err != nil || in.DryRun {
		return api.EnsureIntermediateKeyResult{Changes: w.Changes()}, err
	}
	a.keys.forget(name)
	csr, err := certs.RequestFor(key, certSpec(in.Spec))
	return api.EnsureIntermediateKeyResult{Changes: w.Changes(), CSR: string(csr)}, err
}

// RemoveIntermediateKey undoes EnsureIntermediateKey.
func (a *Activities) RemoveIntermediateKey(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentIntermediate, fleet.SystemNamespace, kinds.Secrets)
}

// SignIntermediate does step 3, "<cluster>-cacerts": the root, or the issuer that the
// fleet file names, signs the CSR of a cluster, once the worker has seen that the cluster
// made it. It keeps nothing, so there is nothing to undo.
func (a *Activities) SignIntermediate(ctx context.Context, in api.SignIntermediateInput) (api.SignIntermediateResult, error) {
	if in.Issuer.Given() {
		if err := a.checkRequest(ctx, in); err != nil {
			return api.SignIntermediateResult{}, err
		}
		return a.signByIssuer(ctx, in)
	}
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	root, err := rootThatSigns(ctx, store, in.RootPEM)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	if root == nil {
		return api.SignIntermediateResult{}, &RootError{fmt.Sprintf("this worker does not have the root of the fleet %s: another worker keeps it, or it was removed; with several workers keep it in a Secret (spec.ca.root.cluster)", in.Fleet)}
	}
	if err := a.checkRequest(ctx, in); err != nil {
		return api.SignIntermediateResult{}, err
	}
	cert, err := root.Sign([]byte(in.CSR), certSpec(in.Spec))
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	facts, err := certs.Describe(cert)
	return api.SignIntermediateResult{CertPEM: string(cert), Facts: api.CertificateFacts(facts)}, err
}

func certSpec(s api.IntermediateSpec) certs.IntermediateSpec {
	return certs.IntermediateSpec{Cluster: s.Cluster, Organization: s.Organization, DNSName: s.DNSName,
		KeyAlgorithm: s.KeyAlgorithm, Lifetime: time.Duration(s.Lifetime), Issuer: s.Issuer}
}

// currentCACerts returns the certificate of the cluster's cacerts where that can
// stay, else nil. One that Landbridge did not make stays when it is good under the
// fleet's root, and is refused otherwise.
func currentCACerts(ctx context.Context, w *kube.Writer, in api.EnsureIntermediateKeyInput) ([]byte, error) {
	live, set, err := readCACerts(ctx, w.Cluster, in.Namespace)
	if err != nil || live == nil {
		return nil, err
	}
	bad := set.Check([]byte(cmp.Or(in.TrustPEM, in.RootPEM)))
	if live.Labels[fleet.LabelFleet] != in.Fleet {
		if in.RootPEM == "" {
			bad = fmt.Errorf("the fleet has no root yet that could have issued it")
		}
		if bad != nil {
			return nil, &kube.DeadEndError{Reason: fmt.Sprintf("Secret %s/%s exists already and is not Landbridge's: %v; remove it, or make the root that issued it the fleet's root", in.Namespace, fleet.CACerts, bad)}
		}
		if in.Anew {
			return nil, &kube.DeadEndError{Reason: fmt.Sprintf("Secret %s/%s is not Landbridge's; who made it renews it", in.Namespace, fleet.CACerts)}
		}
		return set.CACert, nil
	}
	own := set.CertChain // with the CAs of an issuer, which end, too
	if in.TrustPEM != "" {
		own = set.CACert // and not with the roots
	}
	if in.Anew || bad != nil || certs.CheckIntermediate(own, []byte(in.RootPEM), certSpec(in.Spec)) != nil {
		return nil, nil
	}
	if renew, err := certs.NeedsRenewal(own, time.Now()); renew || err != nil {
		return nil, err
	}
	return set.CACert, nil
}
