package activities

import (
	"context"
	"fmt"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	componentRoot = "root"
	// rootSecret names the Secret that keeps a root in a cluster.
	rootSecret = "landbridge-root-ca"
	// nextRootSecret names the Secret beside it with the root that is to take its place.
	nextRootSecret    = "landbridge-next-root-ca"
	componentNextRoot = componentRoot + "-next"
	// rootCertName and rootKeyName name the keys of that Secret, and the files of a
	// directory that keeps a root.
	rootCertName = "root-cert.pem"
	rootKeyName  = "root-key.pem"
)

// RootError reports a root that is not here or cannot be used.
type RootError struct{ Reason string }

func (e *RootError) Error() string { return e.Reason }

// rootStore keeps a fleet's root.
type rootStore interface {
	// load returns the root, and the run that made it where that is known. The root is nil
	// where there is none.
	load(ctx context.Context) (root *certs.Root, by string, err error)
	// prepare makes the place for a root, and returns what that changed.
	prepare(ctx context.Context) (fleet.Changes, error)
	// save keeps the root, unless one was kept meanwhile.
	save(ctx context.Context, r *certs.Root) error
	remove(ctx context.Context, in api.RemoveInput) (fleet.Changes, error)
	// offer returns the age identity that waits here for a root, or nil; keepOffer and
	// dropOffer keep and remove it.
	offer(ctx context.Context) ([]byte, error)
	keepOffer(ctx context.Context, identity []byte) error
	dropOffer(ctx context.Context) error
	// next returns the place beside this one for the root that is to take its place, and
	// promote has it take that, which removes the one before with its key.
	next() rootStore
	promote(ctx context.Context) error
	// describe names the root and its place, as a change without an action.
	describe() fleet.Change
}

// change says what was done with the root.
func change(store rootStore, action fleet.Action) fleet.Changes {
	ch := store.describe()
	ch.Action = action
	return fleet.Changes{Changes: []fleet.Change{ch}}
}

func parseRoot(cert, key []byte) (*certs.Root, error) {
	r, err := certs.ParseRoot(cert, key)
	if err != nil {
		return nil, &RootError{fmt.Sprintf("the kept root cannot be used: %v", err)}
	}
	return r, nil
}
