package inventory

import (
	"context"
	"fmt"

	"k8s.io/client-go/util/retry"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// Vouched names, by fingerprints, a root that was seen to vouch for another one: a cross-certificate
// says so. The zero value vouches for nothing.
type Vouched struct{ By, For string }

// RememberRoot makes the inventory name the place where the fleet's root is kept now, for people
// and as the fleet file has it, and how far the cluster is in a change of the root. It returns
// what it changed: nil where the inventory says so already, or where there is none.
func (cl Claim) RememberRoot(ctx context.Context, c *kube.Cluster, root fleet.KnownRoot, place fleet.RootStore, seen Vouched) (ch *fleet.Change, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		inv, err := Read(ctx, c)
		if err != nil || inv == nil || inv.Memory.Root == root && inv.Fleet.Spec.CA.Root == place {
			return err
		}
		if err := cl.Allowed(inv, c.Name); err != nil {
			return err
		}
		if err := follows(c.Name, inv.Memory.Root, root, seen); err != nil {
			return err
		}
		inv.Memory.Root, inv.Fleet.Spec.CA.Root, inv.Lock = root, place, &cl.As
		ch = &fleet.Change{Action: fleet.Update, Kind: "ConfigMap", Namespace: fleet.SystemNamespace, Name: fleet.InventoryName}
		return inv.update(ctx, c)
	})
	return ch, err
}

// keepRoot returns what a cluster is to remember from now on, of the same root as before: neither
// that one nor how far the cluster is in a change of it is replaced or dropped by a rollout.
func keepRoot(cluster string, was, now fleet.Memory) (fleet.Memory, error) {
	switch known := was.Root.Fingerprint; {
	case known == "":
	case known == now.Root.Fingerprint:
		now.Root.Next, now.Root.Changed = was.Root.Next, was.Root.Changed
	case now.Root.Fingerprint == "":
		now.Root = was.Root
	default:
		return now, otherRoot(cluster, known, now.Root.Fingerprint)
	}
	return now, nil
}

// follows refuses what does not follow, in a change of the root, from what a cluster remembers.
// It accepts a next root only from the one that it has, and goes one phase at a time: else its
// neighbours would not trust it any more.
func follows(cluster string, was, now fleet.KnownRoot, seen Vouched) error {
	next, wants := was.Next.Fingerprint, now.Next.Fingerprint
	switch {
	case was.Fingerprint == "" && wants == "":
		return nil
	case now.Fingerprint != was.Fingerprint:
		if now.Fingerprint == next && wants == "" && was.Stage() == fleet.RootReplaced {
			return nil
		}
		return otherRoot(cluster, was.Fingerprint, now.Fingerprint)
	case next == "" && wants != "" && seen != Vouched{By: was.Fingerprint, For: wants}:
		return &UntrustedError{fmt.Sprintf("cluster %s has the root %s, which does not vouch for %s: that one is not accepted", cluster, was.Fingerprint, wants)}
	case next != "" && wants != "" && next != wants:
		return &UntrustedError{fmt.Sprintf("the root of cluster %s is being changed to %s, and not to %s: nothing was changed", cluster, next, wants)}
	}
	if from, to := was.Stage(), now.Stage(); to > from+1 || to < from-1 {
		return &UntrustedError{fmt.Sprintf("in cluster %s %s: that %s would be more than one phase further, and its neighbours would not trust it any more", cluster, from, to)}
	}
	return nil
}

func otherRoot(cluster, has, wanted string) error {
	return &UntrustedError{fmt.Sprintf("cluster %s has the root %s, and not %s: a fleet keeps its root until `landbridge rotate --root` changes it; one that is to begin anew is cleaned up first",
		cluster, has, wanted)}
}
