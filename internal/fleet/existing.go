package fleet

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Managed says whether Landbridge installs Istio.
func (i Istio) Managed() bool { return i.Manage == nil || *i.Manage }

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

// Existing says whether Landbridge uses any existing part of a cluster's mesh, its CA
// aside.
func (s Settings) Existing() bool {
	return !s.Istio.Managed() || !s.Gateways.EastWest.Managed()
}

// Identity returns what tells the gateway from others: how it is found, and who it is.
func (e EastWest) Identity() EastWest {
	return EastWest{Manage: e.Manage, Service: Service{Name: e.Service.Name}, Labels: e.Labels, ServiceAccount: e.ServiceAccount}
}

// defaultExisting fills in how existing parts are usually named.
func (s *Settings) defaultExisting() {
	if !s.Istio.Managed() {
		or(&s.Istio.Revision, DefaultRevision)
	}
	if e := &s.Gateways.EastWest; !e.Managed() {
		or(&e.Service.Name, EastWestGateway)
		or(&e.ServiceAccount, e.Service.Name)
		if len(e.Labels) == 0 {
			e.Labels = map[string]string{"istio": "eastwestgateway"}
		}
	}
}

// validateExisting checks what belongs to existing parts, and what does not. at is
// spec, or a cluster in it.
func validateExisting(at string, s Settings, ca CA, ps *problems) {
	if ps.sound(at + ".istio.manage") {
		validateExistingIstio(at, s.Istio, ca, ps)
	}
	if ps.sound(at + ".gateways.eastWest.manage") {
		validateExistingGateway(at+".gateways.eastWest", s.Gateways.EastWest, ps)
	}
}

func validateExistingIstio(at string, i Istio, ca CA, ps *problems) {
	if i.Managed() {
		if i.Revision != "" {
			ps.add(at+".istio.revision", "is for an existing Istio; set %s.istio.manage: false, or %s.istio.name in place of the revision", at, at)
		}
		return
	}
	dnsLabel(ps, at+".istio.revision", i.Revision, 63, "the label istio.io/rev")
	if i.UpdateStrategy != "" {
		ps.add(at+".istio.updateStrategy", "is for an Istio that Landbridge installs; this one exists already (%s.istio.manage: false)", at)
	}
	for _, values := range []struct {
		field string
		of    map[string]any
	}{{"values", i.Values}, {"cniValues", i.CNIValues}} {
		if len(values.of) > 0 {
			ps.add(at+".istio."+values.field, "are for an Istio that Landbridge installs; this one exists already (%s.istio.manage: false)", at)
		}
	}
	if ca.Managed() {
		path, want := "spec.ca.manage", "must be false"
		if at != "spec" {
			path, want = at+".istio.manage", "needs spec.ca.manage: false"
		}
		ps.add(path, want+": an existing Istio (%s.istio.manage: false) has its CA, and another one would cut its workloads off", at)
	}
}

func validateExistingGateway(at string, e EastWest, ps *problems) {
	if e.Managed() {
		if e.Service.Name != "" || e.ServiceAccount != "" || len(e.Labels) > 0 {
			ps.add(at, "describes an existing gateway; set manage: false in it")
		}
		return
	}
	if len(e.Service.Annotations) > 0 {
		ps.add(at+".service.annotations", "are for a gateway that Landbridge installs; this one exists already (eastWest.manage: false)")
	}
	if t := e.Service.Type; t != "" && t != ServiceLoadBalancer {
		ps.add(at+".service.type", "is for a gateway that Landbridge installs; this one exists already (eastWest.manage: false)")
	}
	for _, field := range e.Pods.set() {
		ps.add(at+"."+field, "is for a gateway that Landbridge installs; this one exists already (eastWest.manage: false)")
	}
	dnsLabel(ps, at+".service.name", e.Service.Name, 63, "a Service")
	if errs := validation.IsDNS1123Subdomain(e.ServiceAccount); len(errs) > 0 {
		ps.add(at+".serviceAccount", "%q is not a name: %s", e.ServiceAccount, reason(errs))
	}
}

// validateLabels stands apart, since a workflow may not range over a map. It is
// enough to look at labels when a file is read.
func validateLabels(at string, e EastWest, ps *problems) {
	for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
		if errs := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(e.Labels[k])); len(errs) > 0 {
			ps.add(at+".labels", "%s: %q is not a label: %s", k, e.Labels[k], reason(errs))
		}
	}
}
