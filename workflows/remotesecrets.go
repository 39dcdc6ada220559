package workflows

import (
	"fmt"
	"slices"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rivals lists the remote secrets of others that name a target of this fleet: istiod
// reads a cluster through the Secret that it sees first, and would ignore ours.
func (r *rollout) rivals() (out []api.Failure) {
	if !slices.ContainsFunc(r.in.Fleet.Spec.Clusters, func(c fleet.Cluster) bool { return len(r.member(c.Name).check.RemoteSecrets) > 0 }) {
		return nil // a large mesh has many links
	}
	for _, l := range r.in.Fleet.Links() {
		ours, target := fleet.RemoteSecret(l.To), r.ref(l.To).IstioID()
		for _, s := range r.member(l.From).check.RemoteSecrets {
			if !slices.Contains(s.Clusters, target) || r.in.Fleet.Spec.Adopt && s.Name == ours && len(s.Clusters) == 1 {
				continue
			}
			instead, way := ", not through "+ours, fmt.Sprintf("remove the key %s from it, or the whole Secret", target)
			if s.Name == ours {
				instead = ", which Landbridge did not make"
			}
			if s.Name == ours && len(s.Clusters) == 1 {
				way = "set spec.adopt: true to make it the fleet's, or remove it"
			}
			if s.Fleet != "" {
				instead, way = ", which the fleet "+s.Fleet+" made", "clean that fleet up first, or leave the cluster to it"
			}
			out = append(out, api.Failure{Unit: api.Member(l.From), Type: api.TypePreflight, Message: fmt.Sprintf(
				"its istiod reads %s through Secret %s/%s%s; %s, and roll out again", target, r.ref(l.From).Namespace, s.Name, instead, way)})
		}
	}
	return out
}
