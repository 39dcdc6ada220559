package fleet

import (
	"fmt"
	"slices"
)

// RestWave names the wave of all clusters that no other wave names.
const RestWave = "rest"

// PruneWave names the wave that removes what left the fleet file.
const PruneWave = "prune"

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

// WavesDown returns the waves in which these clusters are removed: those of the fleet in
// reverse. What no wave names, since it left the fleet file, goes first.
func (f *Fleet) WavesDown(clusters []Cluster) []Wave {
	there := *f
	there.Spec.Clusters, there.Spec.Rollout.Waves = clusters, wavesOf(f.Spec.Rollout.Waves, clusters)
	waves := there.Waves()
	slices.Reverse(waves)
	return waves
}

func validateWaves(f *Fleet, ps *problems) {
	r := f.Spec.Rollout
	if r.Prune != "" { // runs that an older command began do not have it
		oneOf(ps, "spec.rollout.prune", r.Prune, PruneLast, PruneFirst)
	}
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
		if names[w.Name] || w.Name == RestWave || w.Name == PruneWave {
			ps.add(at+".name", "%q is the name of another wave (%s is that of the clusters that no wave names, %s that of what left the fleet file); choose another one", w.Name, RestWave, PruneWave)
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
	if ps.sound("spec.rollout.waves", "spec.clusters") && r.Approval == ApprovalWaves && len(f.Waves()) < 2 && f.Spec.Management == (Management{}) { // sources may list more at the next run
		ps.add("spec.rollout.approval", "there is only one wave, so that there is nothing to approve; name some in spec.rollout.waves")
	}
}
