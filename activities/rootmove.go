package activities

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// OfferRoot readies a place for a root that comes from elsewhere: it makes an age identity
// there, and returns the recipient that the root is sealed to on its way. ReceiveRoot
// removes the identity.
func (a *Activities) OfferRoot(ctx context.Context, in api.OfferRootInput) (api.OfferRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.OfferRootResult{}, err
	}
	id, err := offered(ctx, store)
	if err != nil {
		return api.OfferRootResult{}, err
	}
	if id == nil {
		if id, err = age.GenerateX25519Identity(); err != nil {
			return api.OfferRootResult{}, err
		}
		if _, err := store.prepare(ctx); err != nil {
			return api.OfferRootResult{}, err
		}
		if err := store.keepOffer(ctx, []byte(id.String())); err != nil {
			return api.OfferRootResult{}, err
		}
	}
	return api.OfferRootResult{Recipient: id.Recipient().String()}, nil
}

// offered returns the identity that OfferRoot made in a place, or nil.
func offered(ctx context.Context, store rootStore) (*age.X25519Identity, error) {
	data, err := store.offer(ctx)
	if data == nil || err != nil {
		return nil, err
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(data)))
	if err != nil { // damaged: another one is made
		return nil, nil
	}
	return id, nil
}

// SealRoot returns a copy of the root that only the recipients can read. Nobody who may only
// start workflows gets one: the worker must have been started for that.
func (a *Activities) SealRoot(ctx context.Context, in api.SealRootInput) (api.SealRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.SealRootResult{}, err
	}
	if !a.RootExport {
		return api.SealRootResult{}, untrusted("the root leaves its place only while the worker that keeps it runs with --root-export: whoever gets it can make certificates that the whole mesh trusts. Start that worker with the flag, repeat this, and start it again without")
	}
	root, _, err := store.load(ctx)
	if err != nil {
		return api.SealRootResult{}, err
	}
	kept := store.describe().Note
	if root == nil {
		return api.SealRootResult{}, &RootError{fmt.Sprintf("there is no root %s; `landbridge ca show` tells where the fleet's root is kept", kept)}
	}
	if err := sameRoot(root, in.Known, kept); err != nil {
		return api.SealRootResult{}, err
	}
	recipients, err := age.ParseRecipients(strings.NewReader(strings.Join(in.Recipients, "\n")))
	if err != nil {
		return api.SealRootResult{}, &RootError{fmt.Sprintf("a recipient is none of age's (age1…): %v", err)}
	}
	sealed, err := encrypt(slices.Concat(bytes.TrimSpace(root.CertPEM), []byte("\n"), root.KeyPEM), recipients...)
	if err != nil {
		return api.SealRootResult{}, wrap(err, "seal the root")
	}
	facts, err := certs.Describe(root.CertPEM)
	return api.SealRootResult{Sealed: base64.StdEncoding.EncodeToString(sealed), Facts: api.CertificateFacts(facts), Kept: kept}, err
}

// ReceiveRoot keeps a root that was sealed to the identity of OfferRoot. A root that is
// there already must be the same one.
func (a *Activities) ReceiveRoot(ctx context.Context, in api.ReceiveRootInput) (api.EnsureRootResult, error) {
	store, err := a.rootStore(ctx, in.RootRef)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	kept := store.describe().Note
	root, _, err := store.load(ctx)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	action := fleet.Keep
	came, err := unsealRoot(ctx, store, in.Sealed)
	switch {
	case err != nil && root == nil:
		return api.EnsureRootResult{}, err
	case err != nil: // a try before this one kept it, and removed the identity
	case root == nil:
		if err := sameRoot(came, in.Known, "in what was sealed"); err != nil {
			return api.EnsureRootResult{}, err
		}
		if err := store.save(ctx, came); err != nil {
			return api.EnsureRootResult{}, err
		}
		action = fleet.Create
		if root, _, err = store.load(ctx); err != nil {
			return api.EnsureRootResult{}, err
		}
		fallthrough
	default:
		if want, is := certs.Fingerprint(came.Certificate()), certs.Fingerprint(root.Certificate()); want != is {
			return api.EnsureRootResult{}, &RootError{fmt.Sprintf("there is another root %s already: %s, and not %s; move that one away", kept, is, want)}
		}
	}
	if err := sameRoot(root, in.Known, kept); err != nil {
		return api.EnsureRootResult{}, err
	}
	facts, err := certs.Describe(root.CertPEM)
	if err != nil {
		return api.EnsureRootResult{}, err
	}
	return api.EnsureRootResult{Changes: change(store, action), CertPEM: string(root.CertPEM), Facts: api.CertificateFacts(facts), Kept: kept},
		store.dropOffer(ctx)
}

// unsealRoot opens what was sealed to the identity that a place offered.
func unsealRoot(ctx context.Context, store rootStore, sealed string) (*certs.Root, error) {
	id, err := offered(ctx, store)
	if err != nil {
		return nil, err
	}
	if id == nil {
		return nil, &RootError{"the identity that the root was sealed to is gone; begin again"}
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, &RootError{"the sealed root is not base64"}
	}
	r, err := age.Decrypt(bytes.NewReader(data), id)
	if err != nil {
		return nil, &RootError{"the root was not sealed to the place that is to keep it; begin again"}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, &RootError{"the sealed root is damaged"}
	}
	cert, key := plain, []byte(nil)
	if first, rest := pem.Decode(plain); first != nil {
		cert, key = pem.EncodeToMemory(first), rest
	}
	return parseRoot(cert, key)
}

// RememberRoot has a member's inventory name the place where the root is kept now, and how far the
// member is in a change of the root. It accepts a next root only where its own vouches for that.
func (a *Activities) RememberRoot(ctx context.Context, in api.RememberRootInput) (fleet.Changes, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return fleet.Changes{}, err
	}
	seen, err := vouched(ctx, c, in)
	if err != nil {
		return fleet.Changes{}, err
	}
	ch, err := a.claim(ctx, in.ClusterRef).RememberRoot(ctx, c, in.Root, in.Place, seen)
	if ch == nil || err != nil {
		return fleet.Changes{}, err
	}
	return fleet.Changes{Changes: []fleet.Change{*ch}}, nil
}

// encrypt encrypts to age recipients.
func encrypt(plain []byte, to ...age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

func isRootError(err error) bool {
	var root *RootError
	return errors.As(err, &root)
}
