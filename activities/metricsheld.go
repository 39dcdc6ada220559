package activities

import (
	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/landbridge/landbridge/internal/api"
)

// held measures what keeps others from changing a fleet: a run that goes on, perhaps since it
// waits for a person, and a lock of a run that another Temporal knows.
type held struct {
	since, locked *prom.GaugeVec
}

func newHeld(r prom.Registerer) *held {
	h := &held{
		since: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_change_since_timestamp_seconds",
			Help: "Since when a rollout, a cleanup or another change of a fleet runs, in seconds since 1970, and in which phase it is, as the fleet's schedules saw it last. None where none runs."}, []string{"fleet", "phase"}),
		locked: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_inventory_locked",
			Help: "1 where the last step on a cluster was refused, since a run of another Temporal has locked its inventory, else 0."}, []string{"fleet", "cluster"}),
	}
	r.MustRegister(h.since, h.locked)
	return h
}

// change notes which change of a fleet runs.
func (h *held) change(fleetName string, now api.LastChange) {
	h.since.DeletePartialMatch(prom.Labels{"fleet": fleetName})
	if now.Running {
		h.since.WithLabelValues(fleetName, now.Phase).Set(float64(now.Since.Unix()))
	}
}

// lock notes whether a cluster's inventory is locked, where the outcome of a step on it tells.
func (h *held) lock(ref api.ClusterRef, outcome string) {
	toldOf(h.locked, ref, outcome, api.TypeLocked, 1)
}
