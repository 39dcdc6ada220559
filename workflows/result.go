package workflows

import (
	"fmt"
	"slices"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// end sums up how each unit ended, in the fleet's order, and skips those that have not
// begun. The error is err, or one for all units that failed.
func (r *rollout) end(err error) (api.FleetResult, error) {
	r.leaveOutTheRest()
	result := api.FleetResult{Fleet: r.in.Fleet.Metadata.Name, Root: r.root.Facts, RootUnlike: r.root.Unlike, Clusters: []api.ClusterDone{}, Links: []string{},
		IstioChosen: r.chosen, Applied: r.applied, Last: r.last, Proven: r.proven, Renewed: r.renewed, Tokens: r.tokens, Intermediates: r.intermediates, RootChange: r.rootChanged(), Pruned: r.pruned, Stale: r.stale, Found: r.found(), Passed: r.in.Passed, Decisions: r.Decisions}
	if r.in.DryRun {
		result.Advice = r.in.Fleet.Advice()
	}
	for _, u := range r.list {
		if r.in.DryRun && (u.State == api.Done || u.Removal) {
			result.Plan = append(result.Plan, api.PlannedUnit{Unit: u.Unit, Changes: u.changes})
		}
		switch {
		case u.State == api.Skipped && u.decided:
			result.Skipped = append(result.Skipped, u.Unit)
		case u.State == api.Done && !u.Removal:
			r.addDone(&result, u)
		}
	}
	failures := r.failures()
	if silent := r.silent(); r.in.DryRun && len(silent) > 0 && len(r.failed()) == len(silent) {
		result.Unreachable, failures = silent, nil // a plan has something to show all the same
	}
	if err == nil && len(failures) > 0 {
		err = r.failWith(result, failures)
	}
	return result, err
}

// silent lists the members that failed because they did not answer.
func (r *rollout) silent() (out []api.Failure) {
	for _, u := range r.failed() {
		if _, member := u.Unit.Member(); member && !u.answered {
			out = append(out, *u.failure)
		}
	}
	return out
}

func (r *rollout) addDone(result *api.FleetResult, u *unit) {
	if name, ok := u.Unit.Member(); ok {
		result.Clusters = append(result.Clusters, api.ClusterDone{Name: name, Version: u.check.Version, TLSServerName: u.check.TLSServerName,
			ServerNameUnchecked: u.check.ServerNameUnchecked, Istio: u.check.Istio, Address: u.result.Address, Counts: count(u.result.Changes), Certificate: u.result.Certificate})
		if u.source && r.readsSecrets(name) != "" {
			result.ReadsSecrets = append(result.ReadsSecrets, name)
		}
	}
	if link, ok := u.Unit.Link(); ok {
		result.Links = append(result.Links, link.ID())
		if u.open || r.knownOpen(link) {
			result.Open = append(result.Open, u.Unit)
		}
	}
}

// knownOpen says whether the egress gateway of a link was found open by a rollout before,
// where this one does not prove it.
func (r *rollout) knownOpen(l fleet.Link) bool {
	proves := !r.in.DryRun && !r.in.Fleet.Spec.Rollout.SkipProof
	found := r.member(l.From).check
	return !proves && (found.OpenShared || slices.Contains(found.OpenLinks, l.ID()))
}

// leaveOutTheRest skips the units that have not begun when a run ends. A link gets the
// reason, where one of its clusters failed.
func (r *rollout) leaveOutTheRest() {
	failed := len(r.failures()) > 0
	for _, u := range r.list {
		why := ""
		if _, link := u.Unit.Link(); link && failed && u.State == api.Pending && !u.Removal {
			why = "left out, since one of its clusters failed"
		}
		if u.State == api.Pending || u.State == api.Waiting {
			u.leaveOut(false, why)
		}
	}
}

// failWith returns the one error of a rollout in which something failed.
func (r *rollout) failWith(result api.FleetResult, failures []api.Failure) error {
	units := len(r.in.Fleet.Spec.Clusters) + len(r.in.Fleet.Links())
	done := len(result.Clusters) + len(result.Links)
	if r.in.Rotate != nil { // the others were left out
		units = done + len(failures)
	}
	if done == 0 {
		return r.fail(api.TypeFailed, "the "+r.noun+" failed", failures)
	}
	return r.fail(api.TypePartly, fmt.Sprintf("the %s is partly done: %d of %d clusters and links", r.noun, done, units), failures)
}

func count(c fleet.Changes) map[fleet.Action]int {
	out := map[fleet.Action]int{}
	for _, ch := range c.Changes {
		out[ch.Action]++
	}
	return out
}
