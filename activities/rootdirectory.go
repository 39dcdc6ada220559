package activities

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rootRunName names the file that has the run that made the root.
const rootRunName = "created-by-run"

// directoryStore keeps the root in files of the worker, 0600 in a directory 0700.
type directoryStore struct {
	dir, run string
}

func (d directoryStore) describe() fleet.Change {
	return fleet.Change{Kind: "Root", Name: filepath.Base(d.dir), Note: "in the root directory of a worker"}
}

func (d directoryStore) path(name string) string { return filepath.Join(d.dir, name) }

// load reads key and certificate.
func (d directoryStore) load(context.Context) (*certs.Root, string, error) {
	// Asked first: the directory comes whole, perhaps between these two.
	_, noKey := os.Stat(d.path(rootKeyName))
	cert, err := os.ReadFile(d.path(rootCertName))
	if errors.Is(err, fs.ErrNotExist) && errors.Is(noKey, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", &RootError{fmt.Sprintf("read the root's certificate: %v; put it back from your backup", err)}
	}
	key, err := os.ReadFile(d.path(rootKeyName))
	if err != nil {
		return nil, "", &RootError{fmt.Sprintf("the root's certificate is there, but its key cannot be read: %v; put it back from your backup", err)}
	}
	by, err := os.ReadFile(d.path(rootRunName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // people may have put the root there
		return nil, "", wrap(err, "read who made the root")
	}
	root, err := parseRoot(cert, key)
	return root, string(by), err
}

func (d directoryStore) prepare(context.Context) (fleet.Changes, error) { return fleet.Changes{}, nil }

// save makes the directory whole, under another name first: it is there with all of the
// root or not at all, and the first of two that make one wins.
func (d directoryStore) save(_ context.Context, r *certs.Root) error {
	parent := filepath.Dir(d.dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return &RootError{fmt.Sprintf("make the root's directory: %v", err)}
	}
	whole, err := os.MkdirTemp(parent, ".new-*") // 0700
	if err != nil {
		return &RootError{fmt.Sprintf("make the root's directory: %v", err)}
	}
	defer os.RemoveAll(whole)
	for name, data := range map[string][]byte{rootKeyName: r.KeyPEM, rootRunName: []byte(d.run), rootCertName: r.CertPEM} {
		if err := writeWhole(filepath.Join(whole, name), data); err != nil {
			return &RootError{fmt.Sprintf("keep the root: %v", err)}
		}
	}
	if err := os.Rename(whole, d.dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return &RootError{fmt.Sprintf("keep the root: %v", err)}
	}
	return nil
}

func (d directoryStore) remove(_ context.Context, in api.RemoveInput) (fleet.Changes, error) {
	if in.OnlyRun == "" && !in.DryRun {
		if err := os.RemoveAll(d.dir + ".old"); err != nil {
			return fleet.Changes{}, wrap(err, "remove the root before")
		}
	}
	if _, err := os.Stat(d.dir); errors.Is(err, fs.ErrNotExist) {
		return fleet.Changes{}, nil
	}
	if in.OnlyRun != "" {
		by, err := os.ReadFile(d.path(rootRunName))
		if err != nil || string(by) != in.OnlyRun {
			return fleet.Changes{}, nil
		}
	}
	if !in.DryRun {
		if err := os.RemoveAll(d.dir); err != nil {
			return fleet.Changes{}, fmt.Errorf("remove the root: %w", err)
		}
	}
	return change(d, fleet.Remove), nil
}

// next keeps the root that waits in a directory beside.
func (d directoryStore) next() rootStore { return directoryStore{dir: d.dir + ".next", run: d.run} }

// promote goes on wherever it was interrupted.
func (d directoryStore) promote(context.Context) error {
	next, old := d.dir+".next", d.dir+".old"
	if _, err := os.Stat(next); err == nil {
		if _, err := os.Stat(d.dir); err == nil { // else the one in old is that which goes
			if err := errors.Join(os.RemoveAll(old), os.Rename(d.dir, old)); err != nil {
				return &RootError{fmt.Sprintf("move the old root away: %v", err)}
			}
		}
		if err := os.Rename(next, d.dir); err != nil {
			return &RootError{fmt.Sprintf("move the new root to its place: %v", err)}
		}
	}
	return wrap(os.RemoveAll(old), "remove the old root")
}

// offerPath names the file of the identity that waits for a root, beside its directory.
func (d directoryStore) offerPath() string {
	return filepath.Join(filepath.Dir(d.dir), ".offer-"+filepath.Base(d.dir))
}

func (d directoryStore) offer(context.Context) ([]byte, error) {
	data, err := os.ReadFile(d.offerPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, wrap(err, "read the identity that waits for a root")
}

func (d directoryStore) keepOffer(_ context.Context, identity []byte) error {
	if err := os.MkdirAll(filepath.Dir(d.dir), 0o700); err != nil {
		return &RootError{fmt.Sprintf("make the root's directory: %v", err)}
	}
	return wrap(writeWhole(d.offerPath(), identity), "keep the identity that waits for a root")
}

func (d directoryStore) dropOffer(context.Context) error {
	if err := os.Remove(d.offerPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(err, "remove the identity that waited for a root")
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
