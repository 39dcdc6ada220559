package activities

import (
	"bytes"
	"context"
	"io"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	// offerSecret names the Secret with the identity that waits for a root.
	offerSecret = "landbridge-root-offer"
	offerKey    = "identity.age"
	// sealedKeyName names the key of the root's Secret where it is sealed.
	sealedKeyName = "root-key.pem.age"
)

// secretStore keeps the root in a Secret of one cluster.
type secretStore struct {
	w *kube.Writer
	// name of the Secret.
	name string
	// sealed says that the root's key is encrypted to identity, which may be nil: then this
	// worker can read no sealed root.
	sealed   bool
	identity *age.X25519Identity
}

func (s secretStore) describe() fleet.Change {
	return fleet.Change{Kind: kinds.Secrets.Kind, Namespace: fleet.SystemNamespace, Name: s.name, Note: "in a Secret of cluster " + s.w.Name}
}

func (s secretStore) load(ctx context.Context) (*certs.Root, string, error) {
	live, err := readSecret(ctx, s.w.Cluster, fleet.SystemNamespace, s.name)
	if live == nil || err != nil {
		return nil, "", err
	}
	if owner := live.Labels[fleet.LabelFleet]; owner != s.w.Owner.Fleet {
		return nil, "", &kube.NotOursError{Kind: kinds.Secrets.Kind, Namespace: fleet.SystemNamespace, Name: s.name, Owner: owner}
	}
	key := live.Data[rootKeyName]
	if sealed := live.Data[sealedKeyName]; sealed != nil {
		if key, err = s.unseal(sealed); err != nil {
			return nil, "", err
		}
	}
	root, err := parseRoot(live.Data[rootCertName], key)
	return root, live.Annotations[fleet.AnnotationRun], err
}

// prepare makes Landbridge's namespace: the root comes before the inventory, unless it is
// moved to a member, whose namespace is the inventory's already.
func (s secretStore) prepare(ctx context.Context) (fleet.Changes, error) {
	ns, err := readNamespace(ctx, s.w.Cluster, fleet.SystemNamespace)
	if err != nil || ns != nil && ns.Labels[fleet.LabelFleet] == s.w.Owner.Fleet {
		return fleet.Changes{}, err
	}
	err = ensureNamespace(ctx, s.w, fleet.SystemNamespace, nil)
	return s.w.Changes(), err
}

func (s secretStore) save(ctx context.Context, r *certs.Root) error {
	data := map[string][]byte{rootCertName: r.CertPEM, rootKeyName: r.KeyPEM}
	if s.sealed {
		if s.identity == nil {
			return &RootError{noIdentity}
		}
		sealed, err := encrypt(r.KeyPEM, s.identity.Recipient())
		if err != nil {
			return wrap(err, "seal the root")
		}
		data = map[string][]byte{rootCertName: r.CertPEM, sealedKeyName: sealed}
	}
	_, err := s.w.Create(ctx, secret(fleet.SystemNamespace, s.name, corev1.SecretTypeOpaque, data))
	return err
}

// noIdentity tells what a worker lacks for a sealed root.
const noIdentity = "the root is sealed (spec.ca.root.sealed), and this worker has no identity for it; start it with --root-identity-file"

// unseal decrypts the root's key. Its errors quote none of it.
func (s secretStore) unseal(sealed []byte) ([]byte, error) {
	if s.identity == nil {
		return nil, &RootError{noIdentity}
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), s.identity)
	if err != nil {
		return nil, &RootError{"the root is sealed to another identity than the one in this worker's --root-identity-file"}
	}
	key, err := io.ReadAll(r)
	if err != nil {
		return nil, &RootError{"the sealed root is damaged; put it back from your backup"}
	}
	return key, nil
}

func (s secretStore) offer(ctx context.Context) ([]byte, error) {
	return readSecretKey(ctx, s.w.Cluster, fleet.SystemNamespace, offerSecret, offerKey)
}

func (s secretStore) keepOffer(ctx context.Context, identity []byte) error {
	return s.w.Apply(ctx, secret(fleet.SystemNamespace, offerSecret, corev1.SecretTypeOpaque, map[string][]byte{offerKey: identity}))
}

func (s secretStore) dropOffer(ctx context.Context) error {
	offer, err := s.w.Get(ctx, kinds.Secrets, fleet.SystemNamespace, offerSecret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.w.Delete(ctx, kinds.Secrets, offer)
}

// next keeps the root that waits in a Secret beside.
func (s secretStore) next() rootStore {
	w := &kube.Writer{Cluster: s.w.Cluster, DryRun: s.w.DryRun, ForceConflicts: s.w.ForceConflicts, Owner: s.w.Owner, Lock: s.w.Lock}
	w.Owner.Component = componentNextRoot
	return secretStore{w: w, name: nextRootSecret, sealed: s.sealed, identity: s.identity}
}

// promote goes on wherever it was interrupted.
func (s secretStore) promote(ctx context.Context) error {
	waits, err := readSecret(ctx, s.w.Cluster, fleet.SystemNamespace, nextRootSecret)
	if waits == nil || err != nil {
		return err
	}
	w := &kube.Writer{Cluster: s.w.Cluster, ForceConflicts: true, Owner: s.w.Owner, Lock: s.w.Lock} // the one before was created, not applied
	if err := w.Apply(ctx, secret(fleet.SystemNamespace, s.name, corev1.SecretTypeOpaque, waits.Data)); err != nil {
		return err
	}
	return s.next().(secretStore).w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, "")
}

// remove removes the namespace, too, where the cluster's inventory is gone already.
func (s secretStore) remove(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	if err := s.w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, in.OnlyRun); err != nil {
		return s.w.Changes(), err
	}
	if s.name != rootSecret {
		return s.w.Changes(), nil
	}
	if r, err := inventory.Read(ctx, s.w.Cluster); r != nil || err != nil {
		return s.w.Changes(), err
	}
	err := removeNamespaces(ctx, s.w, in.OnlyRun, fleet.SystemNamespace)
	return s.w.Changes(), err
}
