package fleet

import (
	"cmp"
	"fmt"
	"strings"
)

// How Sail changes the version of an Istio.
const (
	UpdateInPlace   = "InPlace"
	UpdateRevisions = "RevisionBased"
)

// maxRevision is how long a label's value may be, in bytes.
const maxRevision = 63

// Strategy returns how Sail changes the version of an Istio that Landbridge installs.
func (i Istio) Strategy() string { return cmp.Or(i.UpdateStrategy, UpdateInPlace) }

// RevisionBased says whether each version of the cluster's Istio has a revision of its own.
func (i Istio) RevisionBased() bool { return i.Managed() && i.Strategy() == UpdateRevisions }

// Rev returns the revision of the cluster's Istio. Sail names that of an Istio that
// Landbridge installs after its Istio resource, and where it is updated by revisions, after
// its version, too.
func (i Istio) Rev() string {
	switch {
	case !i.Managed():
		return i.Revision
	case i.RevisionBased():
		return i.Name + "-" + strings.ReplaceAll(i.Version, ".", "-")
	}
	return i.Name
}

// validateRevisions checks that the revision of each cluster's Istio is known before it is
// installed: gateways, readers and the worker's role name it.
func validateRevisions(f *Fleet, ps *problems) {
	for i, c := range f.Spec.Clusters {
		istio, at := f.Settings(c).Istio, "spec.istio"
		if own := c.Istio; own.UpdateStrategy != "" || own.Version != "" || own.Name != "" {
			at = fmt.Sprintf("spec.clusters[%d].istio", i)
		}
		if istio.RevisionBased() && !ps.reported(at+".updateStrategy") && ps.sound(at+".version") {
			validateRevision(at, istio, ps)
		}
	}
}

func validateRevision(at string, i Istio, ps *problems) {
	at += ".updateStrategy"
	switch {
	case i.Version == "":
		ps.add(at, "%s needs istio.version, since the revision of Istio is named after it", UpdateRevisions)
	case IsIstioAlias(i.Version):
		ps.add(at, "%s needs a version such as %s, since the revision of Istio is named after it; %s stands for another one with the operator's next release",
			UpdateRevisions, DefaultIstioVersion, i.Version)
	case len(i.Rev()) > maxRevision:
		ps.add(at, "the revision %s is too long for a label (%d bytes, at most %d); choose a shorter istio.name", i.Rev(), len(i.Rev()), maxRevision)
	}
}
