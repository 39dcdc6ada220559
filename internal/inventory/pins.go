package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/retry"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// Pin holds what a cluster knows of a source to which it gave a token: which cluster that is,
// and the age recipient of it. No input of a workflow changes it.
type Pin struct {
	// UID of the source's namespace kube-system. It is empty where the worker did not see it.
	UID       string `json:"uid,omitempty"`
	Recipient string `json:"recipient"`
}

// pinPrefix begins the keys of the ConfigMap's data that hold pins: a person can remove one
// without touching the rest.
const pinPrefix = "pin."

// Unpin returns the command with which a person removes the pin of a source.
func Unpin(source string) string {
	return fmt.Sprintf(`kubectl -n %s patch configmap %s --type json -p '[{"op":"remove","path":"/data/%s%s"}]'`, fleet.SystemNamespace, fleet.InventoryName, pinPrefix, source)
}

// readPins reads the pins of an inventory that is stored.
func readPins(cluster string, cm *corev1.ConfigMap) (map[string]Pin, error) {
	pins := map[string]Pin{}
	for key, text := range cm.Data {
		source, isPin := strings.CutPrefix(key, pinPrefix)
		if !isPin {
			continue
		}
		var p Pin
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, &DamagedError{cluster, key, err}
		}
		pins[source] = p
	}
	return pins, nil
}

// encodePins adds the pins to the data of a ConfigMap.
func encodePins(pins map[string]Pin, data map[string]string) error {
	for source, p := range pins {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		data[pinPrefix+source] = string(text)
	}
	return nil
}

// Pin pins a source, in the place of what was pinned before.
func (cl Claim) Pin(ctx context.Context, c *kube.Cluster, source string, p Pin) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		inv, err := Read(ctx, c)
		if err != nil {
			return err
		}
		if err := cl.Allowed(inv, c.Name); err != nil || inv == nil || inv.Pins[source] == p {
			return err
		}
		inv.Pins[source], inv.Lock = p, &cl.As
		return inv.update(ctx, c)
	})
}
