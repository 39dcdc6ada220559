package lab

import (
	"fmt"
	"net"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// IPFamilies lists what a lab's networks can have, as Kubernetes spells it: one family, or
// both with the first one first.
var IPFamilies = []string{"IPv4", "IPv6", "IPv4,IPv6", "IPv6,IPv4"}

// chooseFamilies makes IPv4 the default, and refuses what cannot be.
func (o *Options) chooseFamilies() error {
	if o.IPFamilies == "" {
		o.IPFamilies = IPFamilies[0]
	}
	if !slices.Contains(IPFamilies, o.IPFamilies) {
		return fmt.Errorf("--ip-families: want one of %s, got %q", strings.Join(IPFamilies, " or "), o.IPFamilies)
	}
	if o.Nodes == NodesKWOK && o.IPFamilies != IPFamilies[0] {
		return fmt.Errorf("--ip-families %s needs nodes that have networks: add --nodes real", o.IPFamilies)
	}
	return nil
}

// families reads the option that chooseFamilies took.
func (o *Options) families() (out []corev1.IPFamily) {
	for f := range strings.SplitSeq(o.IPFamilies, ",") {
		out = append(out, corev1.IPFamily(f))
	}
	return out
}

// first returns the family of what has one address only, such as the API server.
func (c Cluster) first() corev1.IPFamily { return c.Families[0] }

// has tells whether the cluster's networks have a family.
func (c Cluster) has(f corev1.IPFamily) bool { return slices.Contains(c.Families, f) }

// ranges writes a range of each family, with commas, as Kubernetes' flags take them.
func (c Cluster) ranges(of func(corev1.IPFamily) *net.IPNet) string {
	var all []string
	for _, f := range c.Families {
		all = append(all, of(f).String())
	}
	return strings.Join(all, ",")
}

// address returns an IPv4 address, or the IPv6 one that ends with it: so both families have
// one plan, and every part of it is reserved for documentation.
func address(f corev1.IPFamily, a, b, c, d byte) net.IP {
	v4 := net.IP{a, b, c, d}
	if f == corev1.IPv4Protocol {
		return v4
	}
	return append(net.ParseIP("2001:db8::")[:net.IPv6len-net.IPv4len:net.IPv6len-net.IPv4len], v4...)
}

// cidr returns the range around an address. The ones are those of IPv4: the part that ends
// an IPv6 address.
func cidr(ip net.IP, ones int) *net.IPNet {
	bits := 8 * len(ip)
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(bits-8*net.IPv4len+ones, bits)}
}
