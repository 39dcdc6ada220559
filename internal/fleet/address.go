package fleet

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Address tells where an east-west gateway is reached: by a hostname or by IPs.
type Address struct {
	// Hostname of the gateway, as the source's DNS knows it.
	Hostname string `json:"hostname,omitempty"`
	// IPs of the gateway, of either family.
	IPs []string `json:"ips,omitempty"`
	// Port at this address that leads to the gateway's apiPort. Default: the nodePort of
	// a Service of type NodePort, and else the port of the Service.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
}

// AddressLater stands, in a plan, for the address of an east-west gateway that has none yet.
const AddressLater = "known-after-step-7.invalid"

// Known tells whether there is a hostname or an IP.
func (a Address) Known() bool { return a.Hostname != "" || len(a.IPs) > 0 }

// All returns the IPs and then the hostname.
func (a Address) All() []string {
	all := slices.Clone(a.IPs)
	if a.Hostname != "" {
		all = append(all, a.Hostname)
	}
	return all
}

// SourceAddress tells where some sources reach an east-west gateway.
type SourceAddress struct {
	// Sources are the clusters, by name, that reach the gateway at this address.
	Sources []string `json:"sources"`
	// Hostname of the gateway, as the DNS of these sources knows it.
	Hostname string `json:"hostname,omitempty"`
	// IPs of the gateway, of either family.
	IPs []string `json:"ips,omitempty"`
	// Port at this address that leads to the gateway's apiPort. Default: as for address.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
}

// The values of EastWest.Addresses.
const (
	AddressesFirst    = "first"
	AddressesAll      = "all"
	AddressesIPv4     = "ipv4"
	AddressesIPv6     = "ipv6"
	AddressesPublic   = "public"
	AddressesPrivate  = "private"
	AddressesHostname = "hostname"
)

// AddressFor returns where a source reaches the east-west gateway: at the address that
// the file has for this source, or else at the general one.
func (g Gateways) AddressFor(source string, general Address) Address {
	for _, a := range g.EastWest.AddressFor {
		if slices.Contains(a.Sources, source) {
			general = Address{a.Hostname, a.IPs, a.Port}
		}
	}
	general.Port = cmp.Or(general.Port, g.EastWest.Address.Port, g.EastWest.Service.outside(), g.APIPort)
	return general
}

// outside returns the port at which the Service leads to the API, or 0 where that is
// the gateway's own.
func (s Service) outside() int {
	if s.Type == ServiceNodePort {
		return s.NodePort
	}
	return s.APIPort
}

// validateAddresses checks where a cluster's gateway is reached. at is the path of its
// eastWest.
func validateAddresses(at string, e EastWest, ps *problems) {
	oneOf(ps, at+".addresses", e.Addresses, "", AddressesFirst, AddressesAll, AddressesIPv4, AddressesIPv6, AddressesPublic, AddressesPrivate, AddressesHostname)
	validateAddress(at+".address", e.Address, ps)
	for i, a := range e.AddressFor {
		here := fmt.Sprintf("%s.addressFor[%d]", at, i)
		given := Address{a.Hostname, a.IPs, a.Port}
		if !given.Known() {
			ps.add(here, "set hostname or ips: where these sources reach the gateway")
		}
		if len(a.Sources) == 0 {
			ps.add(here+".sources", "is required: the clusters that reach the gateway at this address")
		}
		validateAddress(here, given, ps)
	}
	switch s := e.Service; {
	case s.Type == ServiceLoadBalancer || s.Type == "" || !e.Managed():
	case !e.Address.Known():
		ps.add(at+".address", "set hostname or ips: a Service of type %s gets no address of its own", s.Type)
	case s.Type == ServiceNodePort && s.NodePort == 0 && e.Address.Port == 0:
		ps.add(at+".service.nodePort", "is required with type: NodePort, or else the port in %s.address", at)
	}
}

func validateAddress(at string, a Address, ps *problems) {
	if a.Hostname != "" && len(a.IPs) > 0 {
		ps.add(at, "set hostname or ips, not both")
	}
	if n := a.Hostname; n != "" && (isIP(n) || len(validation.IsDNS1123Subdomain(n)) > 0) {
		ps.add(at+".hostname", "%q is not a DNS name; IPs go into ips", n)
	}
	seen := map[netip.Addr]bool{}
	for i, ip := range a.IPs {
		here := fmt.Sprintf("%s.ips[%d]", at, i)
		addr, err := netip.ParseAddr(ip)
		switch {
		case err != nil || addr.Zone() != "":
			ps.add(here, "%q is not an IP, such as 192.0.2.1 or 2001:db8::1", ip)
		case addr.IsUnspecified() || addr.IsMulticast():
			ps.add(here, "%s is not the address of anything that can be reached", ip)
		case seen[addr]:
			ps.add(here, "%s is given twice", ip)
		}
		seen[addr] = true
	}
	if a.Port < 0 || a.Port > 65535 {
		ps.add(at+".port", "want a port from 1 to 65535, got %d", a.Port)
	}
}
