package activities

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RootRef says where a fleet's root is kept. Its ClusterRef is the cluster that
// keeps it, or names no cluster where a worker's directory does.
type RootRef struct{ ClusterRef }

// EnsureRootInput says what the root looks like.
type EnsureRootInput struct {
	RootRef
	CA fleet.CA `json:"ca"`
}

// EnsureRootResult is the public half of the root.
type EnsureRootResult struct {
	fleet.Changes
	CertPEM string      `json:"certPEM"`
	Facts   certs.Facts `json:"facts"`
}

// EnsureRoot is step 3, "root-ca": the fleet's root, made once and kept, so that
// a cluster can be added a month later.
func (a *Activities) EnsureRoot(ctx context.Context, in EnsureRootInput) (EnsureRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return EnsureRootResult{}, err
	}
	root, err := store.load(ctx)
	if err != nil {
		return EnsureRootResult{}, err
	}
	ch := store.describe()
	ch.Action = fleet.Keep
	if root == nil {
		ch.Action = fleet.Create
		if in.DryRun {
			return EnsureRootResult{Changes: fleet.Changes{Changes: []fleet.Change{ch}}}, nil
		}
		root, err = certs.NewRoot(certs.RootSpec{CommonName: in.CA.CommonName, Organization: in.CA.Organization,
			KeyAlgorithm: in.CA.KeyAlgorithm, Lifetime: in.CA.RootLifetime.Std()})
		if err != nil {
			return EnsureRootResult{}, err
		}
		if err := store.save(ctx, root); err != nil {
			return EnsureRootResult{}, err
		}
	}
	facts, err := certs.Describe(root.CertPEM)
	if err != nil {
		return EnsureRootResult{}, err
	}
	return EnsureRootResult{fleet.Changes{Changes: []fleet.Change{ch}}, string(root.CertPEM), facts}, nil
}

// RemoveRoot undoes EnsureRoot. Without the root no cluster can be added to the
// mesh, so it goes with the fleet's last cluster only.
func (a *Activities) RemoveRoot(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	store, err := a.rootStore(ctx, RootRef{in.ClusterRef})
	if err != nil {
		return RemoveResult{}, err
	}
	root, err := store.load(ctx)
	if err == nil && root == nil {
		return RemoveResult{}, nil
	}
	// One that cannot be read any more goes all the same.
	ch := store.describe()
	ch.Action = fleet.Remove
	if !in.DryRun {
		if err := store.remove(ctx, in.OnlyRun); err != nil {
			return RemoveResult{}, err
		}
	}
	return RemoveResult{fleet.Changes{Changes: []fleet.Change{ch}}}, nil
}

// SignIntermediateInput is a cluster's CSR.
type SignIntermediateInput struct {
	RootRef
	CSR  string           `json:"csr"`
	Spec IntermediateSpec `json:"spec"`
}

// IntermediateSpec says what a cluster's intermediate looks like.
type IntermediateSpec struct {
	Cluster      string         `json:"cluster"`
	Organization string         `json:"organization"`
	DNSName      string         `json:"dnsName"`
	KeyAlgorithm string         `json:"keyAlgorithm"`
	Lifetime     fleet.Duration `json:"lifetime"`
}

func (s IntermediateSpec) certs() certs.IntermediateSpec {
	return certs.IntermediateSpec{Cluster: s.Cluster, Organization: s.Organization, DNSName: s.DNSName,
		KeyAlgorithm: s.KeyAlgorithm, Lifetime: time.Duration(s.Lifetime)}
}

// SignIntermediateResult is the certificate, which is public.
type SignIntermediateResult struct {
	CertPEM string      `json:"certPEM"`
	Facts   certs.Facts `json:"facts"`
}

// SignIntermediate is step 3, "<cluster>-cacerts": the root signs the CSR of a
// cluster. It keeps nothing, so there is nothing to undo.
func (a *Activities) SignIntermediate(ctx context.Context, in SignIntermediateInput) (SignIntermediateResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return SignIntermediateResult{}, err
	}
	root, err := store.load(ctx)
	if err != nil {
		return SignIntermediateResult{}, err
	}
	if root == nil {
		return SignIntermediateResult{}, &RootError{fmt.Sprintf("this worker does not have the root of the fleet %s: it is kept by another worker, or it was removed; with several workers keep it in a Secret (spec.ca.root.cluster)", in.Fleet)}
	}
	cert, err := root.Sign([]byte(in.CSR), in.Spec.certs())
	if err != nil {
		return SignIntermediateResult{}, err
	}
	facts, err := certs.Describe(cert)
	return SignIntermediateResult{string(cert), facts}, err
}

func (a *Activities) rootStore(ctx context.Context, in RootRef) (rootStore, error) {
	if in.Cluster != "" {
		w, err := a.remover(ctx, RemoveInput{ClusterRef: in.ClusterRef}, componentRoot)
		if err != nil {
			return nil, err
		}
		return secretStore{w}, nil
	}
	if a.RootDir == "" {
		return nil, &RootError{"this worker keeps no roots; start it with --root-dir, or keep the root in a Secret (spec.ca.root.cluster)"}
	}
	return directoryStore{dir: filepath.Join(a.RootDir, in.Fleet), run: in.Run}, nil
}
