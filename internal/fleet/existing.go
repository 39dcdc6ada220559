package fleet

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Managed says whether Landbridge installs Istio.
func (i Istio) Managed() bool { return i.Manage == nil || *i.Manage }

// Rev returns the revision of the cluster's Istio. An Istio that Landbridge
// installs has the name of its Istio resource as its revision.
func (i Istio) Rev() string {
	if i.Managed() {
		return i.Name
	}
	return i.Revision
}

// Managed says whether Landbridge issues the clusters' intermediates.
func (c CA) Managed() bool { return c.Manage == nil || *c.Manage }

// Managed says whether Landbridge installs the east-west gateway.
func (e EastWest) Managed() bool { return e.Manage == nil || *e.Manage }

// ServiceName returns the Service of the east-west gateway, existing or not.
func (e EastWest) ServiceName() string {
	if e.Managed() {
		return EastWestGateway
	}
	return e.Service.Name
}

// Selector returns the labels that select the pods of the east-west gateway.
func (e EastWest) Selector() map[string]string {
	if e.Managed() {
		return map[string]string{"app": EastWestGateway}
	}
	return e.Labels
}

// Account returns the service account that the pods of the east-west gateway run as.
func (e EastWest) Account() string {
	if e.Managed() {
		return EastWestGateway
	}
	return e.ServiceAccount
}

// Existing says whether Landbridge uses any existing part of a mesh.
func (s Spec) Existing() bool {
	return !s.Istio.Managed() || !s.CA.Managed() || !s.Gateways.EastWest.Managed()
}

// defaultExisting fills in how existing parts are usually named.
func (s *Spec) defaultExisting() {
	if !s.Istio.Managed() {
		or(&s.Istio.Revision, DefaultRevision)
		if s.CA.Manage == nil {
			no := false
			s.CA.Manage = &no
		}
	}
	if e := &s.Gateways.EastWest; !e.Managed() {
		or(&e.Service.Name, EastWestGateway)
		or(&e.ServiceAccount, e.Service.Name)
		if len(e.Labels) == 0 {
			e.Labels = map[string]string{"istio": "eastwestgateway"}
		}
	}
}

func validateExisting(s Spec, ps *problems) {
	if ps.sound("spec.istio.manage") {
		validateExistingIstio(s, ps)
	}
	if ps.sound("spec.gateways.eastWest.manage") {
		validateExistingGateway(s.Gateways.EastWest, ps)
	}
}

func validateExistingIstio(s Spec, ps *problems) {
	if s.Istio.Managed() {
		if s.Istio.Revision != "" {
			ps.add("spec.istio.revision", "is for an existing Istio; set spec.istio.manage: false, or spec.istio.name in place of the revision")
		}
		return
	}
	dnsLabel(ps, "spec.istio.revision", s.Istio.Revision, 63, "the label istio.io/rev")
	if len(s.Istio.Values) > 0 {
		ps.add("spec.istio.values", "are for an Istio that Landbridge installs; this one exists already (spec.istio.manage: false)")
	}
	if s.CA.Managed() {
		ps.add("spec.ca.manage", "must be false: an existing Istio (spec.istio.manage: false) has its CA, and another one would cut its workloads off")
	}
}

func validateExistingGateway(e EastWest, ps *problems) {
	if e.Managed() {
		if e.Service.Name != "" || e.ServiceAccount != "" || len(e.Labels) > 0 {
			ps.add("spec.gateways.eastWest", "describes an existing gateway; set manage: false in it")
		}
		return
	}
	if len(e.Service.Annotations) > 0 {
		ps.add("spec.gateways.eastWest.service.annotations", "are for a gateway that Landbridge installs; this one exists already (eastWest.manage: false)")
	}
	dnsLabel(ps, "spec.gateways.eastWest.service.name", e.Service.Name, 63, "a Service")
	if errs := validation.IsDNS1123Subdomain(e.ServiceAccount); len(errs) > 0 {
		ps.add("spec.gateways.eastWest.serviceAccount", "%q is not a name: %s", e.ServiceAccount, reason(errs))
	}
}

// validateLabels stands apart, since a workflow may not range over a map. It is
// enough to look at labels when a file is read.
func validateLabels(e EastWest, ps *problems) {
	for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
		if errs := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(e.Labels[k])); len(errs) > 0 {
			ps.add("spec.gateways.eastWest.labels", "%s: %q is not a label: %s", k, e.Labels[k], reason(errs))
		}
	}
}
