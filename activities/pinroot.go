package activities

import (
	"context"
	"slices"
	"strings"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// checkRoot refuses other roots than the cluster remembers: the one that signs is rootPEM, and
// those that are trusted are trustPEM, or that one alone where it is empty.
func checkRoot(ctx context.Context, c *kube.Cluster, rootPEM, trustPEM string, dryRun bool) error {
	inv, err := inventory.Read(ctx, c)
	if inv == nil || err != nil || dryRun { // the inventory tells a plan already, as it is written before
		return err
	}
	if trustPEM == "" {
		trustPEM = rootPEM
	}
	known := inv.Memory.Root
	signer, trusted := certs.Fingerprints([]byte(rootPEM)), certs.Fingerprints([]byte(trustPEM))
	if !slices.Equal(signer, []string{known.Signer()}) || !slices.Equal(trusted, known.Trusted()) {
		return untrusted("a certificate was to be plugged in under %s, and cluster %s has %s in its inventory: nothing was changed; roll out again",
			rootsInWords(strings.Join(signer, " and "), trusted), c.Name, rootsInWords(known.Signer(), known.Trusted()))
	}
	return nil
}

// rootsInWords names the root that signs, and those that are trusted where these are others.
func rootsInWords(signer string, trusted []string) string {
	if len(trusted) == 1 && trusted[0] == signer {
		return "the root " + signer
	}
	return "the root " + signer + " (with " + strings.Join(trusted, " and ") + " trusted)"
}

// checkKept refuses to put back a cacerts with a root that the cluster does not trust any more.
func checkKept(ctx context.Context, c *kube.Cluster, kept certs.CACerts) error {
	inv, err := inventory.Read(ctx, c)
	if inv == nil || err != nil {
		return err
	}
	known := inv.Memory.Root
	for _, root := range certs.Fingerprints(kept.RootCert) {
		if root != known.Fingerprint && root != known.Next.Fingerprint {
			return untrusted("the cacerts that was kept in cluster %s has the root %s, and the cluster has %s in its inventory: it is not put back", c.Name, root, known.Fingerprint)
		}
	}
	return nil
}

// vouched looks whether the cluster's own root vouches for the next one of the input. That root
// is read from the cluster's cacerts, and is the one that its inventory pins; nothing of it is
// taken from the input.
func vouched(ctx context.Context, c *kube.Cluster, in api.RememberRootInput) (inventory.Vouched, error) {
	inv, err := inventory.Read(ctx, c)
	if inv == nil || err != nil || in.Root.Next.Fingerprint == "" || inv.Memory.Root.Next.Fingerprint == in.Root.Next.Fingerprint {
		return inventory.Vouched{}, err
	}
	pinned, wanted := inv.Memory.Root.Fingerprint, in.Root.Next.Fingerprint
	_, set, err := readCACerts(ctx, c, in.Namespace)
	if err != nil {
		return inventory.Vouched{}, err
	}
	own := certs.Named(set.RootCert, pinned)
	if own == nil {
		return inventory.Vouched{}, untrusted("cluster %s has not the root %s of its inventory in its Secret %s/%s, which must vouch for another one: nothing was changed; roll out first", c.Name, pinned, in.Namespace, fleet.CACerts)
	}
	if !slices.Equal(certs.Fingerprints([]byte(in.NextPEM)), []string{wanted}) {
		return inventory.Vouched{}, untrusted("cluster %s was to accept the next root %s, and the certificate that came with that is not of it: nothing was changed", c.Name, wanted)
	}
	if err := certs.CheckCrossSigned([]byte(in.CrossPEM), own, []byte(in.NextPEM)); err != nil {
		return inventory.Vouched{}, untrusted("the root %s of cluster %s does not vouch for the next root %s (%v): that one is not accepted, and nothing was changed", pinned, c.Name, wanted, err)
	}
	return inventory.Vouched{By: pinned, For: wanted}, nil
}
