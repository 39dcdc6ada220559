package inventory

import (
	"fmt"
	"time"
)

// OtherFleetError reports a cluster that belongs to another fleet.
type OtherFleetError struct{ Cluster, Fleet string }

func (e *OtherFleetError) Error() string { return e.of("cluster " + e.Cluster) }

// Problem tells it where the cluster is named already.
func (e *OtherFleetError) Problem() string { return e.of("it") }

func (e *OtherFleetError) of(cluster string) string {
	return fmt.Sprintf("%s belongs to the fleet %s; a cluster belongs to one fleet: clean that one up first", cluster, e.Fleet)
}

// OtherMemberError reports a cluster that is the member Is of the fleet, while the fleet
// file calls it Cluster.
type OtherMemberError struct{ Cluster, Is string }

func (e *OtherMemberError) Error() string { return e.of("cluster " + e.Cluster) }

// Problem tells it where the cluster is named already.
func (e *OtherMemberError) Problem() string { return e.of("it") }

func (e *OtherMemberError) of(cluster string) string {
	return fmt.Sprintf("%s is the fleet's member %s: its kubeconfig leads there. A control plane that runs is not renamed, since workloads that know it as %s would be refused; give each name its own kubeconfig again, or clean %s up under that name first",
		cluster, e.Is, e.Is, e.Is)
}

// LockedError reports a cluster that another run changes.
type LockedError struct {
	Cluster string
	Lock    Lock
}

func (e *LockedError) Error() string { return e.of("cluster " + e.Cluster) }

// Problem tells it where the cluster is named already.
func (e *LockedError) Problem() string { return e.of("it") }

func (e *LockedError) of(cluster string) string {
	return fmt.Sprintf("%s is being changed by run %s of the Temporal %s since %s; wait for it or, if it is dead, use --take-over",
		cluster, e.Lock.Run, e.Lock.Temporal, e.Lock.Since.UTC().Format(time.RFC3339))
}

// GoneError reports an inventory that was there when the run began and no longer is.
type GoneError struct{ Cluster string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("the inventory of cluster %s (%s) is gone: a cleanup ran meanwhile; roll out again", e.Cluster, place)
}

// UntrustedError reports that somebody asks for a token or a certificate with a key, a root or a
// cluster that is not a member's own.
type UntrustedError struct{ Reason string }

func (e *UntrustedError) Error() string { return e.Reason }

// DamagedError reports an inventory that cannot be understood: somebody else wrote
// to it.
type DamagedError struct {
	Cluster, Key string
	Cause        error
}

func (e *DamagedError) Error() string { return e.of("the inventory of cluster " + e.Cluster) }

// Problem tells it where the cluster is named already.
func (e *DamagedError) Problem() string { return e.of("its inventory") }

func (e *DamagedError) of(inventory string) string {
	return fmt.Sprintf("%s (%s, key %s) is damaged: %v; restore it from a backup, or delete it and try again: a rollout writes it anew, a cleanup goes by labels",
		inventory, place, e.Key, e.Cause)
}

func (e *DamagedError) Unwrap() error { return e.Cause }
