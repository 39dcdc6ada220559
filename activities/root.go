package activities

import (
	"context"
	"path/filepath"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureRoot does step 3, "root-ca": it makes the fleet's root once and keeps it, so
// that a cluster can be added a month later.
func (a *Activities) EnsureRoot(ctx context.Context, in api.EnsureRootInput) (api.EnsureRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	root, err := store.load(ctx)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	out := api.EnsureRootResult{Changes: change(store, fleet.Keep)}
	if root == nil {
		place, err := store.prepare(ctx)
		if err != nil {
			return api.EnsureRootResult{}, err
		}
		out.Changes.Changes = append(place.Changes, change(store, fleet.Create).Changes...)
		if in.DryRun {
			return out, nil
		}
		if root, err = newRoot(ctx, store, in.CA); err != nil {
			return api.EnsureRootResult{}, err
		}
	}
	facts, err := certs.Describe(root.CertPEM)
	out.CertPEM, out.Facts = string(root.CertPEM), api.CertificateFacts(facts)
	return out, err
}

func newRoot(ctx context.Context, store rootStore, ca fleet.CA) (*certs.Root, error) {
	root, err := certs.NewRoot(certs.RootSpec{CommonName: ca.CommonName, Organization: ca.Organization,
		KeyAlgorithm: ca.KeyAlgorithm, Lifetime: ca.RootLifetime.Std()})
	if err != nil {
		return nil, err
	}
	return root, store.save(ctx, root)
}

// RemoveRoot undoes EnsureRoot, even where the root cannot be read any more. Without
// the root no cluster can be added to the mesh, so it is removed with the fleet's
// last cluster only.
func (a *Activities) RemoveRoot(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	store, err := a.rootStore(ctx, api.RootRef{ClusterRef: in.ClusterRef})
	if err != nil {
		return fleet.Changes{}, err
	}
	return store.remove(ctx, in)
}

// rootStore opens the place where the fleet's root is kept.
func (a *Activities) rootStore(ctx context.Context, in api.RootRef) (rootStore, error) {
	if in.Cluster != "" {
		w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentRoot, "")
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
