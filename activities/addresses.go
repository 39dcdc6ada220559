package activities

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// listed holds one address of a Service's status: an IP, a hostname, or both for one
// and the same load balancer.
type listed struct {
	ip       netip.Addr
	hostname string
}

// listedAddresses returns the addresses in a Service's status, in its order. What does
// not parse as an IP counts as none: Istio would refuse the endpoint.
func listedAddresses(svc *corev1.Service) (out []listed) {
	for _, i := range svc.Status.LoadBalancer.Ingress {
		ip, err := netip.ParseAddr(i.IP)
		if err != nil || ip.Zone() != "" {
			ip = netip.Addr{}
		}
		if l := (listed{ip.Unmap(), i.Hostname}); l != (listed{}) {
			out = append(out, l)
		}
	}
	return out
}

// chooseAddress takes those of the listed addresses that the fleet file wants; by
// default, as Istio's documents do, the first. Others of its family and kind belong to
// the same load balancer: a second family, or a private address beside a public one,
// often leads nowhere from outside. Each address counts once. The order
// changes with the status only where its first address becomes one of another kind.
func chooseAddress(list []listed, want string) (a fleet.Address) {
	for _, l := range list {
		switch {
		case want == fleet.AddressesHostname:
			l.ip = netip.Addr{}
		case (want == "" || want == fleet.AddressesFirst) && kindOf(l.ip) != kindOf(list[0].ip):
			continue
		case !kindOf(l.ip).is(want):
			continue
		}
		switch {
		case l.ip.IsValid(): // it needs no DNS
			a.IPs = append(a.IPs, l.ip.String())
		case a.Hostname == "":
			a.Hostname = l.hostname
		}
	}
	slices.SortFunc(a.IPs, func(x, y string) int {
		return cmp.Or(cmp.Compare(later(list, x), later(list, y)), strings.Compare(x, y))
	})
	a.IPs = slices.Compact(a.IPs)
	return a
}

// later tells whether an IP is tried after those of the first address's family and kind.
func later(list []listed, ip string) int {
	if kindOf(netip.MustParseAddr(ip)) == kindOf(list[0].ip) {
		return 0
	}
	return 1
}

// addressKind tells addresses apart that are not reached from the same places. A
// hostname has the zero kind.
type addressKind struct{ family, scope string }

// sharedSpace is for carriers' own networks (RFC 6598), and some clouds' inner ones.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func kindOf(ip netip.Addr) (k addressKind) {
	switch {
	case ip.Is4():
		k.family = fleet.AddressesIPv4
	case ip.Is6():
		k.family = fleet.AddressesIPv6
	default:
		return k
	}
	k.scope = fleet.AddressesPublic
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || sharedSpace.Contains(ip) {
		k.scope = fleet.AddressesPrivate
	}
	return k
}

// is tells whether the fleet file's word means this kind. The words for all and for the
// first mean every kind.
func (k addressKind) is(want string) bool {
	switch want {
	case fleet.AddressesIPv4, fleet.AddressesIPv6:
		return k.family == want
	case fleet.AddressesPublic, fleet.AddressesPrivate:
		return k.scope == want
	}
	return true
}

func showListed(list []listed) (out []string) {
	for _, l := range list {
		if l.ip.IsValid() {
			out = append(out, l.ip.String())
		}
		if l.hostname != "" {
			out = append(out, l.hostname)
		}
	}
	return out
}
