package fleet

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
)

// Settings holds what can be set for the fleet and, over that, for each cluster.
type Settings struct {
	Istio    Istio    `json:"istio,omitzero"`
	Gateways Gateways `json:"gateways,omitzero"`
}

// Settings returns those of one cluster: the fleet's, with the cluster's own laid over
// them. A mapping is laid over key by key; anything else, lists too, is replaced.
func (f *Fleet) Settings(c Cluster) Settings {
	base, own := Settings{f.Spec.Istio, f.Spec.Gateways}, Settings{c.Istio, c.Gateways}
	if own.empty() {
		return base
	}
	s := layOver(base.fitting(own), own)
	s.setDefaults(f.Metadata.Name)
	return s
}

// empty says whether nothing is set. What reflect reads here is always the same.
//
//workflowcheck:ignore
func (s Settings) empty() bool { return reflect.ValueOf(s).IsZero() }

// fitting leaves out of the fleet's settings what describes an Istio, or an east-west
// gateway, of another sort than the cluster's: Landbridge's or an existing one. What a
// cluster's setting excludes goes too.
func (s Settings) fitting(own Settings) Settings {
	if own.Istio.Manage != nil && own.Istio.Managed() != s.Istio.Managed() {
		s.Istio.Values, s.Istio.CNIValues, s.Istio.Revision, s.Istio.UpdateStrategy = nil, nil, "", ""
	}
	if e := own.Gateways.EastWest; e.Manage != nil && e.Managed() != s.Gateways.EastWest.Managed() {
		s.Gateways.EastWest = EastWest{}
	}
	s.Gateways.EastWest.Pods = s.Gateways.EastWest.Pods.fitting(own.Gateways.EastWest.Pods)
	s.Gateways.Egress.Pods = s.Gateways.Egress.Pods.fitting(own.Gateways.Egress.Pods)
	if !own.Gateways.Egress.NetworkPolicy.Wanted() {
		s.Gateways.Egress.NetworkPolicy.MetricsFrom = nil
	}
	return s
}

// layOver merges two values of one type as RFC 7386 merges their JSON: what is not set
// above is that of below. The library ranges over maps, and yet its result is always
// the same, since JSON's keys are sorted; so a workflow may call this.
//
//workflowcheck:ignore
func layOver[T any](below, above T) (out T) {
	base, err := json.Marshal(below)
	if err != nil {
		panic(fmt.Sprintf("what came from JSON is no JSON any more: %v", err))
	}
	over, err := json.Marshal(above)
	if err == nil {
		base, err = jsonpatch.MergePatch(base, over)
	}
	if err == nil {
		err = json.Unmarshal(base, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("what came from JSON is no JSON any more: %v", err))
	}
	return out
}

// validateSettings checks the fleet's settings, and then those of each cluster that has
// its own. What is wrong with the fleet's is reported once.
func validateSettings(f *Fleet, ps *problems) {
	validateSet("spec", f, Settings{f.Spec.Istio, f.Spec.Gateways}, ps)
	validateFleetWide(f, ps)
	for i, c := range f.Spec.Clusters {
		if (Settings{c.Istio, c.Gateways}).empty() {
			continue
		}
		at, own := fmt.Sprintf("spec.clusters[%d]", i), *ps
		own.list = nil
		s := validateLaid(at, f, c, &own)
		validateSources(at+".gateways.eastWest", f, s.Gateways.EastWest, &own)
		ps.addOthers(own.list, at)
	}
	validateRevisions(f, ps)
	validateValues(f, ps)
}

// validateLaid checks the settings of a cluster with its own laid over the fleet's, and returns
// them.
func validateLaid(at string, f *Fleet, c Cluster, ps *problems) Settings {
	s := f.Settings(c)
	validateSet(at, f, s, ps)
	validateMeshWide(at, c.Istio, ps)
	return s
}

// validateSet checks what can be set for the fleet and for each cluster.
func validateSet(at string, f *Fleet, s Settings, ps *problems) {
	validateIstio(at+".istio", s.Istio, ps)
	validateGateways(at+".gateways", s.Gateways, ps)
	validateExisting(at, s, f.Spec.CA, ps)
	validateEgressMode(at+".gateways.egress.mode", f, s.Gateways.Egress.Mode, ps)
}

// addOthers adds the problems of a cluster's settings that the fleet's do not have, and
// that do not follow from a shape of the fleet's that is wrong.
func (ps *problems) addOthers(list []Problem, at string) {
	for _, p := range list {
		path, message := strings.Replace(p.Path, at, "spec", 1), strings.ReplaceAll(p.Message, at, "spec")
		if _, own := ps.at[p.Path]; !own && !ps.sound(path) {
			continue
		}
		if !slices.ContainsFunc(ps.list, func(have Problem) bool { return have.Path == path && have.Message == message }) {
			ps.list = append(ps.list, p)
		}
	}
}

// validateFleetWide refuses for the fleet what each cluster has for itself.
func validateFleetWide(f *Fleet, ps *problems) {
	const own = "set it at the cluster (spec.clusters[].gateways.eastWest): two clusters cannot be reached at one address"
	const at = "spec.gateways.eastWest."
	if e := f.Spec.Gateways.EastWest; len(f.Spec.Clusters) > 1 {
		if e.Address.Known() {
			ps.add(at+"address", own)
		}
		if len(e.AddressFor) > 0 {
			ps.add(at+"addressFor", own)
		}
	}
}

// validateSources checks the sources that reach a gateway elsewhere than the others.
func validateSources(at string, f *Fleet, e EastWest, ps *problems) {
	seen := map[string]string{}
	for i, a := range e.AddressFor {
		for n, source := range a.Sources {
			here := fmt.Sprintf("%s.addressFor[%d].sources[%d]", at, i, n)
			known(f, ps, here, source)
			if first := seen[source]; first != "" {
				ps.add(here, "%s has an address in %s already", source, first)
			}
			seen[source] = fmt.Sprintf("addressFor[%d]", i)
		}
	}
}

// validateMeshWide refuses at a cluster what all clusters of one mesh share.
func validateMeshWide(at string, own Istio, ps *problems) {
	const shared = "is the same in the whole mesh; set spec.istio.%s"
	if own.MeshID != "" {
		ps.add(at+".istio.meshID", shared, "meshID")
	}
	if own.TrustDomain != "" {
		ps.add(at+".istio.trustDomain", shared, "trustDomain")
	}
}
