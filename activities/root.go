package activities

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// EnsureRoot does step 3, "root-ca": it makes the fleet's root once and keeps it, so
// that a cluster can be added a month later. The root of an issuer is only read.
func (a *Activities) EnsureRoot(ctx context.Context, in api.EnsureRootInput) (api.EnsureRootResult, error) {
	if in.Issuer.Given() {
		return a.issuerRoot(ctx, in)
	}
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	root, changes, err := a.ensureRoot(ctx, store, in)
	out := api.EnsureRootResult{Changes: changes, Kept: store.describe().Note}
	if err != nil || root == nil {
		return out, err
	}
	facts, err := certs.Describe(root.CertPEM)
	out.CertPEM, out.Facts, out.Unlike = string(root.CertPEM), api.CertificateFacts(facts), root.Unlike(rootSpec(in.CA))
	if err == nil && in.Next.Fingerprint != "" {
		err = besides(ctx, store, root, in.Next, &out)
	}
	return out, err
}

// ensureRoot returns the kept root, which it makes where there is none. A dry run
// returns none then. Of two that make one at once both return the one that was kept
// first.
func (a *Activities) ensureRoot(ctx context.Context, store rootStore, in api.EnsureRootInput) (*certs.Root, fleet.Changes, error) {
	root, by, err := store.load(ctx)
	if err == nil {
		root, err = takenOver(ctx, store, root, in)
	}
	if err == nil {
		err = sameRoot(root, in.Known, store.describe().Note)
	}
	if err != nil {
		return nil, fleet.Changes{}, err
	}
	if root != nil {
		if by != "" && by == in.Run {
			return root, change(store, fleet.Create), nil
		}
		return root, change(store, fleet.Keep), nil
	}
	made, err := store.prepare(ctx)
	if err != nil {
		return nil, fleet.Changes{}, err
	}
	made.Changes = append(made.Changes, change(store, fleet.Create).Changes...)
	if in.DryRun {
		return nil, made, nil
	}
	kube.Waiting(ctx, "a key is being made")
	name := strings.Join([]string{"root", in.Fleet, in.Run}, "/")
	root, err = makeKey(ctx, &a.keys, name, func() (*certs.Root, error) { return certs.NewRoot(rootSpec(in.CA)) })
	if err != nil {
		return nil, fleet.Changes{}, err
	}
	if err := store.save(ctx, root); err != nil {
		return nil, fleet.Changes{}, err
	}
	a.keys.forget(name)
	root, _, err = store.load(ctx)
	return root, made, err
}

func rootSpec(ca fleet.CA) certs.RootSpec {
	return certs.RootSpec{CommonName: ca.CommonName, Organization: ca.Organization, KeyAlgorithm: ca.KeyAlgorithm, Lifetime: ca.RootLifetime.Std()}
}

// sameRoot refuses another root than the one that the members know, and a new one beside
// it: each cluster would trust another half of the fleet, as soon as its istiod restarts.
func sameRoot(root *certs.Root, known []api.MemberRoot, here string) error {
	if len(known) == 0 {
		return nil
	}
	want := known[0]
	kept := ""
	if want.Kept != "" {
		kept = ", which was kept " + want.Kept
	}
	if root == nil {
		return &RootError{fmt.Sprintf("the fleet has the root %s (cluster %s)%s, and there is none %s: no second root is made. Bring it back there, or start the worker that keeps it; a fleet that is to begin anew is cleaned up first",
			want.Fingerprint, want.Cluster, kept, here)}
	}
	if is := certs.Fingerprint(root.Certificate()); is != want.Fingerprint {
		return &RootError{fmt.Sprintf("the fleet has the root %s (cluster %s)%s, and the one %s is %s: bring the fleet's root back there, or start the worker that keeps it; a fleet that is to begin anew is cleaned up first",
			want.Fingerprint, want.Cluster, kept, here, is)}
	}
	return nil
}

// RemoveRoot undoes EnsureRoot, even where the root cannot be read any more. Without
// the root no cluster can be added to the mesh, so it is removed with the fleet's
// last cluster only.
func (a *Activities) RemoveRoot(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	store, err := a.rootStore(ctx, api.RootRef{ClusterRef: in.ClusterRef})
	if err != nil {
		return fleet.Changes{}, err
	}
	removed, err := store.next().remove(ctx, in)
	if err != nil {
		return removed, err
	}
	last, err := store.remove(ctx, in)
	removed.Changes = append(removed.Changes, last.Changes...)
	return removed, err
}

// rootStore opens the place where the fleet's root is kept.
func (a *Activities) rootStore(ctx context.Context, in api.RootRef) (rootStore, error) {
	if in.Issuer.Given() {
		return nil, &RootError{"the root's key is with its issuer (spec.ca.issuer): Landbridge has none to move, export or import"}
	}
	if in.Cluster != "" {
		w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentRoot, "")
		if err != nil {
			return nil, err
		}
		return secretStore{w: w, name: rootSecret, sealed: in.Sealed, identity: a.RootIdentity}, nil
	}
	if a.RootDir == "" {
		return nil, &RootError{"this worker keeps no roots; start it with --root-dir, or keep the root in a Secret (spec.ca.root.cluster)"}
	}
	// An input can have anything for a fleet, and this is a directory that is removed with it. What
	// waits beside a fleet's root has a dot in its name, and is the root of no fleet.
	if !filepath.IsLocal(in.Fleet) || filepath.Base(in.Fleet) != in.Fleet || strings.Contains(in.Fleet, ".") {
		return nil, &RootError{fmt.Sprintf("%q is no name of a fleet", in.Fleet)}
	}
	return directoryStore{dir: filepath.Join(a.RootDir, in.Fleet), run: in.Run}, nil
}
