package activities

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	rootSecret    = "landbridge-root-ca"
	componentRoot = "root"
	rootCertKey   = "root-cert.pem"
	rootKeyKey    = "root-key.pem"
)

// rootStore keeps a fleet's root. load returns nil where there is none.
type rootStore interface {
	load(ctx context.Context) (*certs.Root, error)
	save(ctx context.Context, r *certs.Root) error
	remove(ctx context.Context, onlyRun string) error
	describe() fleet.Change
}

// directoryStore keeps the root in files of the worker, 0600 in a directory 0700.
type directoryStore struct {
	dir, run string
}

func (d directoryStore) describe() fleet.Change {
	return fleet.Change{Kind: "Root", Name: filepath.Base(d.dir), Note: "in the root directory of a worker"}
}

// load reads key and certificate. A key without certificate is what a crash
// between the two leaves; it signed nothing, so it counts as none.
func (d directoryStore) load(context.Context) (*certs.Root, error) {
	cert, err := os.ReadFile(filepath.Join(d.dir, rootCertKey))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &RootError{fmt.Sprintf("read the root's certificate: %v", err)}
	}
	key, err := os.ReadFile(filepath.Join(d.dir, rootKeyKey))
	if err != nil {
		return nil, &RootError{fmt.Sprintf("the root's certificate is there, but its key cannot be read: %v; put it back from your backup", err)}
	}
	return parseRoot(cert, key)
}

// save writes the key first, so that a certificate never stands without it.
func (d directoryStore) save(_ context.Context, r *certs.Root) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return &RootError{fmt.Sprintf("make the root's directory: %v", err)}
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{rootKeyKey, r.KeyPEM}, {"created-by-run", []byte(d.run)}, {rootCertKey, r.CertPEM}} {
		if err := writeWhole(filepath.Join(d.dir, f.name), f.data); err != nil {
			return &RootError{fmt.Sprintf("keep the root: %v", err)}
		}
	}
	return nil
}

func (d directoryStore) remove(_ context.Context, onlyRun string) error {
	if onlyRun != "" {
		by, err := os.ReadFile(filepath.Join(d.dir, "created-by-run"))
		if err != nil || string(by) != onlyRun {
			return nil
		}
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove the root: %w", err)
	}
	return nil
}

// writeWhole writes a file so that after a crash it is there whole or not at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// secretStore keeps the root in a Secret of one cluster.
type secretStore struct{ w *kube.Writer }

func (s secretStore) describe() fleet.Change {
	return fleet.Change{Kind: "Secret", Namespace: fleet.SystemNamespace, Name: rootSecret, Note: "the root, in cluster " + s.w.Name}
}

func (s secretStore) load(ctx context.Context) (*certs.Root, error) {
	sec, err := s.w.Client.CoreV1().Secrets(fleet.SystemNamespace).Get(ctx, rootSecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "read the root")
	}
	if owner := sec.Labels[fleet.LabelFleet]; owner != s.w.Owner.Fleet {
		return nil, &kube.NotOursError{Kind: "Secret", Namespace: fleet.SystemNamespace, Name: rootSecret, Owner: owner}
	}
	return parseRoot(sec.Data[rootCertKey], sec.Data[rootKeyKey])
}

func (s secretStore) save(ctx context.Context, r *certs.Root) error {
	if err := ensureNamespace(ctx, s.w, fleet.SystemNamespace, nil); err != nil {
		return err
	}
	return s.w.Apply(ctx, secret(fleet.SystemNamespace, rootSecret, corev1.SecretTypeOpaque,
		map[string][]byte{rootCertKey: r.CertPEM, rootKeyKey: r.KeyPEM}))
}

// remove takes the namespace too where the cluster's record is gone already.
func (s secretStore) remove(ctx context.Context, onlyRun string) error {
	if err := s.w.Remove(ctx, kinds.Secrets, fleet.SystemNamespace, onlyRun); err != nil {
		return err
	}
	if r, err := inventory.Read(ctx, s.w.Cluster); r != nil || err != nil {
		return err
	}
	return removeNamespaces(ctx, s.w, onlyRun, fleet.SystemNamespace)
}

func parseRoot(cert, key []byte) (*certs.Root, error) {
	r, err := certs.ParseRoot(cert, key)
	if err != nil {
		return nil, &RootError{fmt.Sprintf("the kept root cannot be used: %v", err)}
	}
	return r, nil
}

func secret(namespace, name string, typ corev1.SecretType, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: typ, Data: data}
}
