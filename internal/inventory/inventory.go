// Package inventory keeps what a cluster remembers of its fleet: one ConfigMap,
// without secrets. It says what was last applied there, so that what left the fleet
// file can be found and a cleanup needs neither file nor history; and its lock says
// which run changes the cluster, so that a second Temporal sees that too. The
// package reads and writes the ConfigMap; what follows from it is the caller's.
package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// Component is the value of the label app.kubernetes.io/component by which an
// inventory is found when it is removed.
const Component = "inventory"

// The keys of the ConfigMap's data.
const (
	keyFleet  = "fleet.json"
	keyMember = "member.json"
	keyLock   = "lock.json"
)

// place names the ConfigMap in messages.
const place = "ConfigMap " + fleet.SystemNamespace + "/" + fleet.InventoryName

func configMaps(c *kube.Cluster) client.ConfigMapInterface {
	return c.Client.CoreV1().ConfigMaps(fleet.SystemNamespace)
}

// Inventory holds a cluster's memory of its fleet.
type Inventory struct {
	// Fleet as last applied to this cluster: this cluster and those that it has
	// links with.
	Fleet fleet.Fleet
	// Memory tells which member the cluster is, who its peers are, and the root.
	Memory fleet.Memory
	// Lock names the run that changes the cluster. Nil: none does.
	Lock *Lock
	// Pins tells, by name, to which sources the cluster gave tokens.
	Pins map[string]Pin

	stored *corev1.ConfigMap
}

// Lock names a run that changes a cluster.
type Lock struct {
	// Temporal is the cluster and namespace of the Temporal server, so that two
	// servers that both run landbridge.<fleet> are told apart.
	Temporal string `json:"temporal"`
	// Run is the run ID of the fleet's workflow.
	Run string `json:"run"`
	// Since is when it began to write.
	Since time.Time `json:"since"`
}

// Read returns a cluster's inventory, or nil where it has none. One that cannot be
// understood is a *DamagedError.
func Read(ctx context.Context, c *kube.Cluster) (*Inventory, error) {
	cm, err := configMaps(c).Get(ctx, fleet.InventoryName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the inventory (%s): %w", place, err)
	}
	inv := &Inventory{stored: cm}
	if err := json.Unmarshal([]byte(cm.Data[keyFleet]), &inv.Fleet); err != nil {
		return nil, &DamagedError{c.Name, keyFleet, err}
	}
	if inv.Fleet.Metadata.Name == "" {
		return nil, &DamagedError{c.Name, keyFleet, fmt.Errorf("it names no fleet")}
	}
	for key, into := range map[string]any{keyMember: &inv.Memory, keyLock: &inv.Lock} {
		if text := cm.Data[key]; text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return nil, &DamagedError{c.Name, key, err}
			}
		}
	}
	inv.Pins, err = readPins(c.Name, cm)
	return inv, err
}

// create stores the inventory for the first time.
func (inv *Inventory) create(ctx context.Context, c *kube.Cluster) error {
	inv.stored = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fleet.InventoryName,
		Labels: map[string]string{fleet.LabelFleet: inv.Fleet.Metadata.Name, fleet.LabelManagedBy: fleet.ManagedBy, fleet.LabelComponent: Component},
		// An undo of this run removes it again.
		Annotations: map[string]string{fleet.AnnotationRun: inv.Lock.Run}}}
	if err := inv.encode(); err != nil {
		return err
	}
	_, err := configMaps(c).Create(ctx, inv.stored, metav1.CreateOptions{FieldManager: kube.FieldManager})
	return writing(err)
}

// update stores the inventory under the resource version that was read: of two
// that write at once, the API server refuses one with a conflict.
func (inv *Inventory) update(ctx context.Context, c *kube.Cluster) error {
	if err := inv.encode(); err != nil {
		return err
	}
	_, err := configMaps(c).Update(ctx, inv.stored, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	return writing(err)
}

func (inv *Inventory) encode() (err error) {
	if inv.stored.Data, err = contents(inv.Fleet, inv.Memory); err == nil {
		err = encodePins(inv.Pins, inv.stored.Data)
	}
	if err != nil || inv.Lock == nil {
		return err
	}
	lock, err := json.Marshal(inv.Lock)
	inv.stored.Data[keyLock] = string(lock)
	return err
}

// says tells whether the inventory holds this already.
func (inv *Inventory) says(part fleet.Fleet, memory fleet.Memory) (bool, error) {
	want, err := contents(part, memory)
	return err == nil && inv.stored.Data[keyFleet] == want[keyFleet] && inv.stored.Data[keyMember] == want[keyMember], err
}

// contents returns the ConfigMap's data, without a lock.
func contents(part fleet.Fleet, memory fleet.Memory) (map[string]string, error) {
	settings, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	member, err := json.Marshal(memory)
	return map[string]string{keyFleet: string(settings), keyMember: string(member)}, err
}

func writing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write the inventory (%s): %w", place, err)
}
