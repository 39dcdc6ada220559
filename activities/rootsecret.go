package activities

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// secretStore keeps the root in a Secret of one cluster.
type secretStore struct{ w *kube.Writer }

func (s secretStore) describe() fleet.Change {
	return fleet.Change{Kind: kinds.Secrets.Kind, Namespace: fleet.SystemNamespace, Name: rootSecret, Note: "the root, in cluster " + s.w.Name}
}

func (s secretStore) load(ctx context.Context) (*certs.Root, string, error) {
	live, err := readSecret(ctx, s.w.Cluster, fleet.SystemNamespace, rootSecret)
	if live == nil || err != nil {
		return nil, "", err
	}
	if owner := live.Labels[fleet.LabelFleet]; owner != s.w.Owner.Fleet {
		return nil, "", &kube.NotOursError{Kind: kinds.Secrets.Kind, Namespace: fleet.SystemNamespace, Name: rootSecret, Owner: owner}
	}
	root, err := parseRoot(live.Data[rootCertName], live.Data[rootKeyName])
	return root, live.Annotations[fleet.AnnotationRun], err
}

// prepare makes Landbridge's namespace: the root comes before the inventory.
func (s secretStore) prepare(ctx context.Context) (fleet.Changes, error) {
	err := ensureNamespace(ctx, s.w, fleet.SystemNamespace, nil)
	return s.w.Changes(), err
}

func (s secretStore) save(ctx context.Context, r *certs.Root) error {
	_, err := s.w.Create(ctx, secret(fleet.SystemNamespace, rootSecret, corev1.SecretTypeOpaque,
		map[string][]byte{rootCertName: r.CertPEM, rootKeyName: r.KeyPEM}))
	return err
}

// remove removes the namespace, too, where the cluster's inventory is gone already.
func (s secretStore) remove(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	if err := s.w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, in.OnlyRun); err != nil {
		return s.w.Changes(), err
	}
	if r, err := inventory.Read(ctx, s.w.Cluster); r != nil || err != nil {
		return s.w.Changes(), err
	}
	err := removeNamespaces(ctx, s.w, in.OnlyRun, fleet.SystemNamespace)
	return s.w.Changes(), err
}
