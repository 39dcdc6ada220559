package activities

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// MakeNextRoot makes the root that is to take the place of the fleet's, and keeps it beside that
// one, which vouches for it. One that waits there already is taken.
func (a *Activities) MakeNextRoot(ctx context.Context, in api.MakeNextRootInput) (out api.MakeNextRootResult, err error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return out, err
	}
	out.Kept = store.describe().Note
	known := api.EnsureRootInput{RootRef: in.RootRef, CA: in.CA, Known: []api.MemberRoot{in.Known}}
	old, _, err := store.load(ctx)
	if err == nil {
		old, err = takenOver(ctx, store, old, known)
	}
	if err == nil {
		err = sameRoot(old, known.Known, out.Kept)
	}
	if err != nil {
		return out, err
	}
	next, err := a.waiting(ctx, store.next(), in)
	if err != nil {
		return out, err
	}
	cross, err := old.CrossSign(next)
	if err != nil {
		return out, err
	}
	out.NextRoot = api.NextRoot{NextPEM: string(next.CertPEM), CrossPEM: string(cross)}
	out.OldPEM, out.TrustPEM = string(old.CertPEM), string(trusted(old, next))
	out.Old, out.Next = certs.Fingerprint(old.Certificate()), certs.Fingerprint(next.Certificate())
	return out, nil
}

// waiting returns the root that waits, which it makes where nobody knows one yet.
func (a *Activities) waiting(ctx context.Context, store rootStore, in api.MakeNextRootInput) (*certs.Root, error) {
	next, _, err := store.load(ctx)
	switch {
	case err != nil:
		return nil, err
	case in.Begun != "" && (next == nil || certs.Fingerprint(next.Certificate()) != in.Begun):
		return nil, &RootError{fmt.Sprintf("the clusters trust the new root %s already, and it does not wait %s: bring it back there from your backup", in.Begun, store.describe().Note)}
	case next != nil:
		if unlike := next.Unlike(rootSpec(in.CA)); in.Begun == "" && len(unlike) > 0 {
			return nil, &RootError{fmt.Sprintf("the root %s waits %s from an earlier change, and is not as spec.ca says: %s; remove it there, and the next try makes one, or have spec.ca say what it is",
				certs.Fingerprint(next.Certificate()), store.describe().Note, strings.Join(unlike, ", "))}
		}
		return next, nil
	}
	kube.Waiting(ctx, "a key is being made")
	name := strings.Join([]string{"next root", in.Fleet, in.Run}, "/")
	made, err := makeKey(ctx, &a.keys, name, func() (*certs.Root, error) { return certs.NewRoot(rootSpec(in.CA)) })
	if err != nil {
		return nil, err
	}
	if err := store.save(ctx, made); err != nil {
		return nil, err
	}
	a.keys.forget(name)
	next, _, err = store.load(ctx) // of two that make one at once both take the one that was kept first
	return next, err
}

// EndRootChange ends a change of the root: that which stays takes its place, and the other one
// is removed with its key. A next root that is neither belongs to a later change, and stays.
func (a *Activities) EndRootChange(ctx context.Context, in api.EndRootChangeInput) (fleet.Changes, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return fleet.Changes{}, err
	}
	next, _, err := store.next().load(ctx)
	if err != nil {
		return fleet.Changes{}, err
	}
	waits := in.Stays
	if next != nil {
		waits = certs.Fingerprint(next.Certificate())
	}
	switch waits {
	case in.Goes:
		return store.next().remove(ctx, api.RemoveInput{ClusterRef: in.ClusterRef})
	case in.Stays: // where none waits, it removes what a try before this one left
		return change(store, fleet.Update), store.promote(ctx)
	}
	return fleet.Changes{}, nil
}

// takenOver returns the root that every member knows, where that is the one that waits: the
// change is over, and the run that ended it could not tidy up.
func takenOver(ctx context.Context, store rootStore, root *certs.Root, in api.EnsureRootInput) (*certs.Root, error) {
	if len(in.Known) != 1 || root != nil && certs.Fingerprint(root.Certificate()) == in.Known[0].Fingerprint {
		return root, nil
	}
	next, _, err := store.next().load(ctx)
	if next == nil || err != nil || certs.Fingerprint(next.Certificate()) != in.Known[0].Fingerprint {
		return root, err
	}
	if in.DryRun {
		return next, nil
	}
	return next, store.promote(ctx)
}

// besides adds the next root to what a rollout gets of the root while that is changed.
func besides(ctx context.Context, store rootStore, old *certs.Root, is fleet.NextRoot, out *api.EnsureRootResult) error {
	next, _, err := store.next().load(ctx)
	if err != nil {
		return err
	}
	if next == nil || certs.Fingerprint(next.Certificate()) != is.Fingerprint {
		return &RootError{fmt.Sprintf("the root is being changed to %s, which does not wait %s: bring it back there from your backup", is.Fingerprint, store.describe().Note)}
	}
	if is.Phase.Both() {
		out.TrustPEM = string(trusted(old, next))
	}
	if is.Phase.NextSigns() {
		out.CertPEM = string(next.CertPEM)
	}
	return nil
}

// trusted returns both roots in the one order that they have wherever they are trusted: istiod
// compares bytes.
func trusted(old, next *certs.Root) []byte { return certs.Bundle(old.CertPEM, next.CertPEM) }

// rootThatSigns returns the root with a certificate, or the fleet's where none is named.
func rootThatSigns(ctx context.Context, store rootStore, certPEM string) (*certs.Root, error) {
	for _, place := range []rootStore{store, store.next()} {
		root, _, err := place.load(ctx)
		if err != nil || certPEM == "" {
			return root, err
		}
		if root != nil && bytes.Equal(bytes.TrimSpace(root.CertPEM), bytes.TrimSpace([]byte(certPEM))) {
			return root, nil
		}
	}
	return nil, nil
}
