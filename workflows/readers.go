package workflows

import (
	"cmp"
	"fmt"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// sourceIstio returns the settings of a member's Istio, and its real version.
func (r *rollout) sourceIstio(name string) (fleet.Istio, string) {
	c, _ := r.in.Fleet.Cluster(name)
	istio := r.in.Fleet.Settings(c).Istio
	return istio, cmp.Or(r.member(name).check.Istio.Wanted, istio.Version)
}

// readsSecrets says why a source has to read every Secret of its targets, or returns "".
func (r *rollout) readsSecrets(source string) string {
	istio, version := r.sourceIstio(source)
	return istio.ReadsSecrets(version)
}

// secretless refuses settings with which the istiod of a member does not run.
func (r *rollout) secretless() (out []api.Failure) {
	for _, c := range r.in.Fleet.Spec.Clusters {
		istio, version := r.sourceIstio(c.Name)
		if why := istio.CannotDoWithoutSecrets(version); why != "" {
			out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypePreflight, Message: why})
		}
	}
	return out
}

// rootReadable refuses to keep the root where a source may read every Secret: whoever has its
// remote secret would have the root.
func (r *rollout) rootReadable() (out []api.Failure) {
	root := r.in.Fleet.Spec.CA.Root
	if root.Cluster == "" || root.Sealed {
		return nil
	}
	for _, l := range r.in.Fleet.Links() {
		if l.To != root.Cluster {
			continue
		}
		if why := r.readsSecrets(l.From); why != "" {
			out = append(out, api.Failure{Unit: api.Member(root.Cluster), Type: api.TypePreflight, Message: fmt.Sprintf(
				"its Secrets have the root's key (spec.ca.root.cluster), and %s reads every Secret here (%s); seal the root (spec.ca.root.sealed), or keep it where no source reads", l.From, why)})
		}
	}
	return out
}
