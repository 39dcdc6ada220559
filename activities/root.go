package activities

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureRoot is step 3, "root-ca": the fleet's root, made once and kept, so that
// a cluster can be added a month later.
func (a *Activities) EnsureRoot(ctx context.Context, in api.EnsureRootInput) (api.EnsureRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	root, err := store.load(ctx)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	ch := store.describe()
	ch.Action = fleet.Keep
	if root == nil {
		ch.Action = fleet.Create
		if in.DryRun {
			return api.EnsureRootResult{Changes: fleet.Changes{Changes: []fleet.Change{ch}}}, nil
		}
		root, err = certs.NewRoot(certs.RootSpec{CommonName: in.CA.CommonName, Organization: in.CA.Organization,
			KeyAlgorithm: in.CA.KeyAlgorithm, Lifetime: in.CA.RootLifetime.Std()})
		if err != nil {
			return api.EnsureRootResult{}, err
		}
		if err := store.save(ctx, root); err != nil {
			return api.EnsureRootResult{}, err
		}
	}
	facts, err := certs.Describe(root.CertPEM)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	return api.EnsureRootResult{Changes: fleet.Changes{Changes: []fleet.Change{ch}}, CertPEM: string(root.CertPEM), Facts: api.CertificateFacts(facts)}, nil
}

// RemoveRoot undoes EnsureRoot. Without the root no cluster can be added to the
// mesh, so it goes with the fleet's last cluster only.
func (a *Activities) RemoveRoot(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	store, err := a.rootStore(ctx, api.RootRef{ClusterRef: in.ClusterRef})
	if err != nil {
		return fleet.Changes{}, err
	}
	root, err := store.load(ctx)
	if err == nil && root == nil {
		return fleet.Changes{}, nil
	}
	// One that cannot be read any more goes all the same.
	ch := store.describe()
	ch.Action = fleet.Remove
	if !in.DryRun {
		if err := store.remove(ctx, in.OnlyRun); err != nil {
			return fleet.Changes{}, err
		}
	}
	return fleet.Changes{Changes: []fleet.Change{ch}}, nil
}

func certSpec(s api.IntermediateSpec) certs.IntermediateSpec {
	return certs.IntermediateSpec{Cluster: s.Cluster, Organization: s.Organization, DNSName: s.DNSName,
		KeyAlgorithm: s.KeyAlgorithm, Lifetime: time.Duration(s.Lifetime)}
}

// SignIntermediate is step 3, "<cluster>-cacerts": the root signs the CSR of a
// cluster. It keeps nothing, so there is nothing to undo.
func (a *Activities) SignIntermediate(ctx context.Context, in api.SignIntermediateInput) (api.SignIntermediateResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	root, err := store.load(ctx)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	if root == nil {
		return api.SignIntermediateResult{}, &RootError{fmt.Sprintf("this worker does not have the root of the fleet %s: it is kept by another worker, or it was removed; with several workers keep it in a Secret (spec.ca.root.cluster)", in.Fleet)}
	}
	cert, err := root.Sign([]byte(in.CSR), certSpec(in.Spec))
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	facts, err := certs.Describe(cert)
	return api.SignIntermediateResult{CertPEM: string(cert), Facts: api.CertificateFacts(facts)}, err
}

func (a *Activities) rootStore(ctx context.Context, in api.RootRef) (rootStore, error) {
	if in.Cluster != "" {
		w, err := a.remover(ctx, api.RemoveInput{ClusterRef: in.ClusterRef}, componentRoot)
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
