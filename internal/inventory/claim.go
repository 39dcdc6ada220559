package inventory

import (
	"context"
	"strings"

	"k8s.io/client-go/util/retry"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// Claim says who wants to change a cluster.
type Claim struct {
	// Fleet that the cluster must belong to.
	Fleet string
	// As is the lock that the run sets.
	As Lock
	// TakeOver replaces the lock of another Temporal, whose run is dead.
	TakeOver bool
	// MustExist refuses a cluster without an inventory: a cleanup removed it, and
	// nothing may be made behind that cleanup's back.
	MustExist bool
}

// Allowed returns why the run may not change the cluster that has the inventory: there is
// none and must be one (*GoneError), it is another fleet's (*OtherFleetError) or another
// member (*OtherMemberError), or a run of another Temporal has locked it (*LockedError).
// Within one Temporal an earlier run is over, since one workflow ID is the lock there.
func (cl Claim) Allowed(inv *Inventory, cluster string) error {
	switch {
	case inv == nil && cl.MustExist:
		return &GoneError{cluster}
	case inv == nil:
		return nil
	}
	if of := inv.Fleet.Metadata.Name; of != cl.Fleet {
		return &OtherFleetError{cluster, of}
	}
	if is := inv.Memory.Member.Name; is != "" && is != cluster {
		return &OtherMemberError{cluster, is}
	}
	if l := inv.Lock; l != nil && l.Run != cl.As.Run && l.Temporal != cl.As.Temporal && !cl.TakeOver {
		return &LockedError{cluster, *l}
	}
	return nil
}

// Lock locks the cluster's inventory for the run, so that a run that was taken over
// writes no more. It is called before the first write of every activity, and
// writes only where the lock is not the run's yet.
func (cl Claim) Lock(ctx context.Context, c *kube.Cluster) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		inv, err := Read(ctx, c)
		if err != nil {
			return err
		}
		if err := cl.Allowed(inv, c.Name); err != nil || inv == nil {
			return err
		}
		if inv.Lock != nil && inv.Lock.Run == cl.As.Run {
			return nil
		}
		inv.Lock = &cl.As
		return inv.update(ctx, c)
	})
}

// Write makes the inventory say that this part of the fleet is applied here, and which
// member the cluster is, and locks it. One that says so already is left alone. A dry run
// only returns the change.
func (cl Claim) Write(ctx context.Context, c *kube.Cluster, part fleet.Fleet, memory fleet.Memory, dryRun bool) (fleet.Change, error) {
	ch := fleet.Change{Kind: "ConfigMap", Namespace: fleet.SystemNamespace, Name: fleet.InventoryName}
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		inv, err := Read(ctx, c)
		if err != nil {
			return err
		}
		if err := cl.Allowed(inv, c.Name); err != nil {
			return err
		}
		if inv == nil {
			ch.Action = fleet.Create
			if dryRun {
				return nil
			}
			return (&Inventory{Fleet: part, Memory: memory, Lock: &cl.As}).create(ctx, c)
		}
		memory, err := keepRoot(c.Name, inv.Memory, memory)
		if err != nil {
			return err
		}
		same, err := inv.says(part, memory)
		if err != nil {
			return err
		}
		ch.Action, ch.Note = fleet.Update, ""
		if other := inv.Memory.Rebuilt(memory); len(other) > 0 {
			ch.Note = "another cluster than before: " + strings.Join(other, ", ")
		}
		if same {
			ch.Action = fleet.Keep
		}
		ch.Action = kube.Owner{Run: cl.As.Run}.Since(ch.Action, inv.stored.Annotations)
		if same || dryRun {
			return nil
		}
		inv.Fleet, inv.Memory, inv.Lock = part, memory, &cl.As
		return inv.update(ctx, c)
	})
	return ch, err
}

// Unlock removes the run's lock from the cluster's inventory, and returns whether
// there was one. The lock of another run stays.
func Unlock(ctx context.Context, c *kube.Cluster, run string) (unlocked bool, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		unlocked = false
		inv, err := Read(ctx, c)
		if err != nil || inv == nil || inv.Lock == nil || inv.Lock.Run != run {
			return err
		}
		inv.Lock, unlocked = nil, true
		return inv.update(ctx, c)
	})
	return unlocked && err == nil, err
}
