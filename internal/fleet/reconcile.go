package fleet

import "time"

// Reconcile says how a worker treats the Fleet resource that the fleet is kept in
// (--watch-fleets). Commands, which are given a fleet file, have flags for it.
type Reconcile struct {
	// Prune has a rollout remove the clusters and links that left the resource, and the
	// deletion of the resource clean the whole fleet up. Default: false, and nothing is ever
	// removed.
	Prune bool `json:"prune,omitempty"`
	// CheckEvery has the fleet's schedule compare the clusters with what was rolled out last,
	// so often, at least 1m. Default: no schedule is set, and one that a person set stays.
	CheckEvery Duration `json:"checkEvery,omitempty"`
	// SelfHeal has such a check repair what it finds. Default: false.
	SelfHeal bool `json:"selfHeal,omitempty"`
	// Suspend has the worker leave the fleet alone until it is false again: nothing begins, and
	// a run that is at work goes on. Default: false.
	Suspend bool `json:"suspend,omitempty"`
}

// LeastCheckEvery limits how often a fleet is checked, so that checks do not keep its workers
// busy.
const LeastCheckEvery = time.Minute

func validateReconcile(r Reconcile, ps *problems) {
	const at = "spec.reconcile"
	every := r.CheckEvery.Std()
	switch {
	case every != 0 && every < LeastCheckEvery:
		ps.add(at+".checkEvery", "want at least %s, got %s", LeastCheckEvery, every)
	case every == 0 && r.SelfHeal && ps.sound(at+".checkEvery"):
		ps.add(at+".selfHeal", "only a check repairs; set %s.checkEvery, or leave it out", at)
	}
}
