// Package record is what a cluster remembers of its fleet: the ConfigMap
// landbridge-fleet. It says what was last applied there, so that what left the
// fleet file can be found and cleanup needs neither file nor history, and which
// run is changing the cluster, so that a second Temporal sees it too.
package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// The keys of the ConfigMap's data.
const (
	keyFleet = "fleet.json"
	keyLock  = "lock.json"
)

// Lock is the run that is changing a cluster.
type Lock struct {
	// Temporal is the cluster and namespace of the Temporal server, so that two
	// servers that both run landbridge.<fleet> are told apart.
	Temporal string `json:"temporal"`
	// Run is the run ID of the fleet's workflow.
	Run string `json:"run"`
	// Since is when it began to write.
	Since time.Time `json:"since"`
}

// Inventory is a cluster's memory of its fleet.
type Inventory struct {
	// Fleet as last applied to this cluster: this cluster and those that it has
	// links with.
	Fleet fleet.Fleet
	// Lock is the run that is changing the cluster, or nil.
	Lock *Lock

	live *corev1.ConfigMap
}

// OtherFleetError is a cluster that belongs to another fleet.
type OtherFleetError struct{ Cluster, Fleet string }

func (e *OtherFleetError) Error() string {
	return fmt.Sprintf("cluster %s belongs to the fleet %s; a cluster belongs to one fleet: clean that one up first", e.Cluster, e.Fleet)
}

// LockedError is a cluster that another run is changing.
type LockedError struct {
	Cluster string
	Lock    Lock
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("cluster %s is being changed by run %s of the Temporal %s since %s; wait for it or, if it is dead, use --take-over",
		e.Cluster, e.Lock.Run, e.Lock.Temporal, e.Lock.Since.UTC().Format(time.RFC3339))
}

// GoneError is a record that was there when the run began and is not any more.
type GoneError struct{ Cluster string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("the record of cluster %s (ConfigMap %s/%s) is gone: a cleanup ran meanwhile; roll out again", e.Cluster, fleet.SystemNamespace, fleet.InventoryName)
}

// Read returns a cluster's record, or nil where it has none.
func Read(ctx context.Context, c *kube.Cluster) (*Inventory, error) {
	cm, err := c.Client.CoreV1().ConfigMaps(fleet.SystemNamespace).Get(ctx, fleet.InventoryName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	return parse(cm)
}

func parse(cm *corev1.ConfigMap) (*Inventory, error) {
	r := &Inventory{live: cm}
	if err := json.Unmarshal([]byte(cm.Data[keyFleet]), &r.Fleet); err != nil {
		return nil, fmt.Errorf("the record (ConfigMap %s/%s) is damaged: %w", fleet.SystemNamespace, fleet.InventoryName, err)
	}
	if h := cm.Data[keyLock]; h != "" {
		if err := json.Unmarshal([]byte(h), &r.Lock); err != nil {
			return nil, fmt.Errorf("the record's lock (ConfigMap %s/%s) is damaged: %w", fleet.SystemNamespace, fleet.InventoryName, err)
		}
	}
	return r, nil
}

// Write makes the record say that this fleet is applied here, and by whom. A
// record that says so already is left alone.
func Write(ctx context.Context, c *kube.Cluster, f fleet.Fleet, lock Lock, dryRun bool) (fleet.Change, error) {
	ch := fleet.Change{Action: fleet.Create, Kind: "ConfigMap", Namespace: fleet.SystemNamespace, Name: fleet.InventoryName}
	data, err := json.Marshal(f)
	if err != nil {
		return ch, err
	}
	old, err := Read(ctx, c)
	if err != nil {
		return ch, err
	}
	cms := c.Client.CoreV1().ConfigMaps(fleet.SystemNamespace)
	if old == nil {
		if dryRun {
			return ch, nil
		}
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fleet.InventoryName,
			Labels:      map[string]string{fleet.LabelFleet: f.Metadata.Name, fleet.LabelManagedBy: fleet.ManagedBy, fleet.LabelComponent: "record"},
			Annotations: map[string]string{fleet.AnnotationRun: lock.Run}},
			Data: map[string]string{keyFleet: string(data)}}
		if err := setLock(cm, &lock); err != nil {
			return ch, err
		}
		_, err := cms.Create(ctx, cm, metav1.CreateOptions{FieldManager: kube.FieldManager})
		return ch, err
	}
	if old.live.Data[keyFleet] == string(data) {
		ch.Action = fleet.Keep
		return ch, nil
	}
	ch.Action = fleet.Update
	if dryRun {
		return ch, nil
	}
	old.live.Data[keyFleet] = string(data)
	if err := setLock(old.live, &lock); err != nil {
		return ch, err
	}
	_, err = cms.Update(ctx, old.live, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	return ch, err
}

// Allowed says whether the run may change the cluster: the record is of the
// fleet, and nobody else holds it. With the same Temporal, an earlier run is
// over, since one workflow ID is the lock there.
func (r *Inventory) Allowed(cluster, fleetName string, me Lock, takeOver bool) error {
	if r == nil {
		return nil
	}
	if r.Fleet.Metadata.Name != fleetName {
		return &OtherFleetError{cluster, r.Fleet.Metadata.Name}
	}
	if h := r.Lock; h != nil && h.Run != me.Run && h.Temporal != me.Temporal && !takeOver {
		return &LockedError{cluster, *h}
	}
	return nil
}

// Claim makes the run the lock of the cluster's record, so that a run that
// was taken over cannot write any more. It is asked before the first write of
// every activity. mustExist says whether a record that is not there is an error.
func Claim(ctx context.Context, c *kube.Cluster, fleetName string, me Lock, takeOver, mustExist bool) error {
	r, err := Read(ctx, c)
	if err != nil {
		return err
	}
	if r == nil {
		if mustExist {
			return &GoneError{c.Name}
		}
		return nil
	}
	if err := r.Allowed(c.Name, fleetName, me, takeOver); err != nil {
		return err
	}
	if r.Lock != nil && r.Lock.Run == me.Run {
		return nil
	}
	return r.setLockOn(ctx, c, &me)
}

// Release takes the run's hold off the record, where it has one. It says
// whether it wrote.
func Release(ctx context.Context, c *kube.Cluster, me Lock) (bool, error) {
	r, err := Read(ctx, c)
	if err != nil || r == nil || r.Lock == nil || r.Lock.Run != me.Run {
		return false, err
	}
	return true, r.setLockOn(ctx, c, nil)
}

// hold writes with the resource version that was read: of two that claim at
// once, one is refused by the API server and tries again.
func (r *Inventory) setLockOn(ctx context.Context, c *kube.Cluster, h *Lock) error {
	if err := setLock(r.live, h); err != nil {
		return err
	}
	_, err := c.Client.CoreV1().ConfigMaps(fleet.SystemNamespace).Update(ctx, r.live, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	if err != nil {
		return fmt.Errorf("write the record's lock: %w", err)
	}
	return nil
}

func setLock(cm *corev1.ConfigMap, h *Lock) error {
	if h == nil {
		delete(cm.Data, keyLock)
		return nil
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	cm.Data[keyLock] = string(data)
	return nil
}
