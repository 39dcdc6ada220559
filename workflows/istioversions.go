package workflows

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// istioVersions chooses a version of Istio for the clusters for which the fleet file
// names none, and returns what is wrong with the version of each cluster.
func (r *rollout) istioVersions() (out []api.Failure) {
	undecided := r.withoutVersion()
	if len(undecided) > 0 {
		if out = r.chooseVersion(undecided); len(out) > 0 {
			return out
		}
	}
	if r.in.ForceVersion {
		return nil
	}
	for _, c := range r.in.Fleet.Spec.Clusters {
		if why := wrongStep(r.member(c.Name).check.Istio); why != "" {
			out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypePreflight, Message: why})
		}
	}
	return out
}

// withoutVersion lists the clusters whose Istio Landbridge installs, and for which the
// file names no version.
func (r *rollout) withoutVersion() (out []string) {
	for _, c := range r.in.Fleet.Spec.Clusters {
		if i := r.in.Fleet.Settings(c).Istio; i.Managed() && i.Version == "" {
			out = append(out, c.Name)
		}
	}
	return out
}

// chooseVersion decides on the version that was rolled out last, so that a new operator
// changes nothing by itself; else on one that runs already, such as that of an Istio to
// adopt; else on the newest that every operator knows. From then on it is as if the file
// had it.
func (r *rollout) chooseVersion(clusters []string) (out []api.Failure) {
	var lists [][]string
	for _, name := range clusters {
		if known := r.member(name).check.KnownIstio; len(known) > 0 {
			lists = append(lists, known)
		}
	}
	version, why := r.lastVersion(), "rolled out last"
	if version == "" {
		version, why = fleet.NewestCommon(r.running(clusters, lists)), "runs already"
	}
	if version == "" {
		version, why = fleet.NewestCommon(lists), "the newest that every operator knows"
	}
	if version == "" && len(lists) > 0 {
		return r.nothingInCommon(clusters)
	}
	if version == "" {
		version, why = fleet.DefaultIstioVersion, "the default"
	}
	r.in.Fleet.Spec.Istio.Version, r.chosen = version, fmt.Sprintf("%s (%s; spec.istio.version is not set)", version, why)
	for _, name := range clusters {
		check := &r.member(name).check
		check.Istio.Want(version, check.KnownIstio)
		if len(check.KnownIstio) > 0 && !slices.Contains(check.KnownIstio, version) {
			out = append(out, api.Failure{Unit: api.Member(name), Type: api.TypePreflight, Message: fleet.UnknownIstioVersion(version, check.KnownIstio)})
		}
	}
	return out
}

// running returns the lists with those of the versions that run in these clusters before
// them.
func (r *rollout) running(clusters []string, lists [][]string) [][]string {
	var run []string
	for _, name := range clusters {
		run = append(run, r.member(name).check.Istio.Istiod)
	}
	return append([][]string{run}, lists...)
}

// lastVersion returns the version that the inventories remember, or nothing. Where a
// rollout that changed it did not reach all of them, it is the newest one.
func (r *rollout) lastVersion() (last string) {
	for _, part := range r.inventories() {
		version := part.Spec.Istio.Version
		v, ok := fleet.ParseIstioVersion(version)
		was, parsed := fleet.ParseIstioVersion(last)
		if last == "" || ok && parsed && v.Compare(was) > 0 {
			last = version
		}
	}
	return last
}

// nothingInCommon tells, for each cluster, which versions its operator knows.
func (r *rollout) nothingInCommon(clusters []string) (out []api.Failure) {
	for _, name := range clusters {
		out = append(out, api.Failure{Unit: api.Member(name), Type: api.TypePreflight, Message: fmt.Sprintf(
			"its Sail operator knows no version of Istio that those of all clusters know (its newest are %s); bring the operators to one release, or set istio.version at each cluster",
			strings.Join(fleet.NewestOfEachMinor(r.member(name).check.KnownIstio), ", "))})
	}
	return out
}

// wrongStep returns why a cluster does not go from what runs to the wanted version: Istio
// goes one minor release after the other.
func wrongStep(i api.IstioVersions) string {
	want, ok := fleet.ParseIstioVersion(i.Wanted)
	if !ok {
		return ""
	}
	var ahead, behind []string
	for _, part := range []struct{ name, version string }{{"istiod", i.Istiod}, {"CNI plugin", i.CNI}, {"gateways", i.Gateways}} {
		have, ok := fleet.ParseIstioVersion(part.version)
		switch {
		case !ok:
		case want.Compare(have) < 0:
			ahead = append(ahead, part.name+" "+part.version)
		case want.Major == have.Major && want.Minor > have.Minor+1:
			behind = append(behind, part.name+" "+part.version)
		}
	}
	switch {
	case len(ahead) > 0:
		return fmt.Sprintf("it runs %s, and Istio %s would go back; set spec.istio.version to what runs or to a newer one, or pass --force-version",
			strings.Join(ahead, ", "), i.Wanted)
	case len(behind) > 0:
		return fmt.Sprintf("it runs %s, and Istio %s would skip a minor release, which Istio does not support; roll out %s first (spec.istio.version), or pass --force-version",
			strings.Join(behind, ", "), i.Wanted, nextOf(i))
	}
	return ""
}

// nextOf names the version to go to first: the one after istiod's, or the one of istiod
// where only others are behind it.
func nextOf(i api.IstioVersions) string {
	want, _ := fleet.ParseIstioVersion(i.Wanted)
	have, ok := fleet.ParseIstioVersion(i.Istiod)
	switch {
	case ok && want.Minor <= have.Minor+1:
		return i.Istiod
	case i.Next != "":
		return i.Next
	case ok:
		return fmt.Sprintf("v%d.%d", have.Major, have.Minor+1)
	}
	return "each minor release before it"
}
