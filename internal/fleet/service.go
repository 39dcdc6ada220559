package fleet

import (
	"fmt"
	"net/netip"
	"slices"
)

// ofLandbridge lists the fields of a Service that only one of Landbridge's can have,
// with what the file says there.
func (s Service) ofLandbridge() map[string]bool {
	return map[string]bool{"loadBalancerClass": s.LoadBalancerClass != "", "sourceRanges": len(s.SourceRanges) > 0,
		"externalTrafficPolicy": s.ExternalTrafficPolicy != "", "ipFamilies": len(s.IPFamilies) > 0, "ipFamilyPolicy": s.IPFamilyPolicy != ""}
}

// DualStack says whether the Service leads to IPv6 where its cluster has that, beside IPv4 or
// alone: in a cluster with both, Istio serves no IPv6 by itself.
func (s Service) DualStack() bool {
	return s.IPFamilyPolicy == PreferDualStack || s.IPFamilyPolicy == RequireDualStack || slices.Contains(s.IPFamilies, "IPv6")
}

// validateServiceNetwork checks how a Service is reached from outside. at is its path.
func validateServiceNetwork(at string, e EastWest, ps *problems) {
	s := e.Service
	own := s.ofLandbridge()
	for _, field := range []string{"loadBalancerClass", "sourceRanges", "externalTrafficPolicy", "ipFamilies", "ipFamilyPolicy"} {
		if own[field] && !e.Managed() {
			ps.add(at+"."+field, "is for a gateway that Landbridge installs; this one exists already (eastWest.manage: false)")
		}
	}
	oneOf(ps, at+".externalTrafficPolicy", s.ExternalTrafficPolicy, "", "Cluster", "Local")
	oneOf(ps, at+".ipFamilyPolicy", s.IPFamilyPolicy, "", SingleStack, PreferDualStack, RequireDualStack)
	for i, f := range s.IPFamilies {
		oneOf(ps, fmt.Sprintf("%s.ipFamilies[%d]", at, i), f, "IPv4", "IPv6")
	}
	if n := len(s.IPFamilies); n > 2 || n == 2 && s.IPFamilies[0] == s.IPFamilies[1] {
		ps.add(at+".ipFamilies", "want one family, or IPv4 and IPv6 with the first one first")
	} else if n == 2 && (s.IPFamilyPolicy == "" || s.IPFamilyPolicy == SingleStack) {
		ps.add(at+".ipFamilyPolicy", "want PreferDualStack or RequireDualStack, since ipFamilies has two")
	}
	for i, r := range s.SourceRanges {
		if _, err := netip.ParsePrefix(r); err != nil {
			ps.add(fmt.Sprintf("%s.sourceRanges[%d]", at, i), "%q is not a range of IPs, such as 10.0.0.0/8", r)
		}
	}
	if s.LoadBalancerClass != "" && (s.Type == ServiceNodePort || s.Type == ServiceClusterIP) {
		ps.add(at+".loadBalancerClass", "is for a Service of type LoadBalancer, not %s", s.Type)
	}
}
