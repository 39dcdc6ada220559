package fleet

import (
	"fmt"
	"slices"
)

// RestWave names the wave of all clusters that no other wave names.
const RestWave = "rest"

// Waves returns all waves of the fleet in their order: those of the fleet file, and
// last the wave of the clusters that no other wave names.
func (f *Fleet) Waves() []Wave {
	waves := slices.Clone(f.Spec.Rollout.Waves)
	rest := Wave{Name: RestWave}
	for _, c := range f.Spec.Clusters {
		if !slices.ContainsFunc(waves, func(w Wave) bool { return slices.Contains(w.Clusters, c.Name) }) {
			rest.Clusters = append(rest.Clusters, c.Name)
		}
	}
	if len(rest.Clusters) > 0 {
		waves = append(waves, rest)
	}
	return waves
}

func validateWaves(f *Fleet, ps *problems) {
	r := f.Spec.Rollout
	oneOf(ps, "spec.rollout.approval", r.Approval, ApprovalNone, ApprovalWaves)
	if r.Approvers != "" { // runs that an older command began do not have it
		oneOf(ps, "spec.rollout.approvers", r.Approvers, ApproversAnyone, ApproversOthers)
	}
	if r.Approvers == ApproversOthers && r.Approval == ApprovalNone {
		ps.add("spec.rollout.approvers", "nothing is approved with spec.rollout.approval: %s; set that to %s", ApprovalNone, ApprovalWaves)
	}
	names, in := map[string]bool{}, map[string]string{}
	for i, w := range r.Waves {
		at := fmt.Sprintf("spec.rollout.waves[%d]", i)
		dnsLabel(ps, at+".name", w.Name, 63, "a wave")
		if names[w.Name] || w.Name == RestWave {
			ps.add(at+".name", "%q is the name of another wave (%s is that of the clusters that no wave names); choose another one", w.Name, RestWave)
		}
		names[w.Name] = true
		if len(w.Clusters) == 0 {
			ps.add(at+".clusters", "a wave needs at least one cluster")
		}
		for j, c := range w.Clusters {
			known(f, ps, fmt.Sprintf("%s.clusters[%d]", at, j), c)
			if other, twice := in[c]; twice && c != "" {
				ps.add(fmt.Sprintf("%s.clusters[%d]", at, j), "cluster %s is in the wave %s already", c, other)
			}
			in[c] = w.Name
		}
	}
	if ps.sound("spec.rollout.waves", "spec.clusters") && r.Approval == ApprovalWaves && len(f.Waves()) < 2 {
		ps.add("spec.rollout.approval", "there is only one wave, so that there is nothing to approve; name some in spec.rollout.waves")
	}
}
