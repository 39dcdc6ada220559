package lab

import (
	"encoding/json"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

var both = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}

// The addresses of both families follow one plan, in ranges for documentation.
func TestFamilies_IPv6_EndsWithTheIPv4Address(t *testing.T) {
	c := Cluster{Name: "west", Index: 1, Real: true, Families: []corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol}}
	require.Equal(t, "[2001:db8::c000:20b]:6443", c.APIAddress())
	require.Equal(t, "2001:db8::c633:640b", c.NodePortIP())
	require.Equal(t, "2001:db8::c000:20b,192.0.2.11", c.insideIPs())
	require.Equal(t, "2001:db8::a65:0/112,10.101.0.0/16", c.ranges(c.services))
	require.Equal(t, "2001:db8::cb00:7110/124", c.balancers(corev1.IPv6Protocol).String())
	documentation := netip.MustParsePrefix("2001:db8::/32")
	for _, n := range []*net.IPNet{c.services(corev1.IPv6Protocol), c.pods(corev1.IPv6Protocol), c.balancers(corev1.IPv6Protocol)} {
		require.True(t, documentation.Contains(netip.MustParsePrefix(n.String()).Addr()), n)
	}
	for n := range 14 {
		require.True(t, c.balancers(corev1.IPv6Protocol).Contains(balancerIP(corev1.IPv6Protocol, 16+n+1)))
	}
}

func TestFamilies_WhatCannotBe_IsRefused(t *testing.T) {
	for _, families := range IPFamilies {
		require.NoError(t, (&Options{Nodes: NodesReal, IPFamilies: families}).chooseFamilies())
	}
	o := &Options{Nodes: NodesKWOK}
	require.NoError(t, o.chooseFamilies())
	require.Equal(t, []corev1.IPFamily{corev1.IPv4Protocol}, o.families())
	require.ErrorContains(t, (&Options{Nodes: NodesReal, IPFamilies: "ipv6"}).chooseFamilies(), `want one of IPv4 or IPv6 or IPv4,IPv6 or IPv6,IPv4, got "ipv6"`)
	require.ErrorContains(t, (&Options{Nodes: NodesKWOK, IPFamilies: "IPv6"}).chooseFamilies(), "add --nodes real")
}

// What a node is told has no address of a family that the lab has not.
func TestFamilies_OfANode_AreAllThatItIsTold(t *testing.T) {
	for _, families := range [][]corev1.IPFamily{both[:1], both[1:], both} {
		c := Cluster{Name: "east", Families: families, Real: true}
		rules, err := firewallOf(c)
		require.NoError(t, err)
		cfg := (&Lab{Dir: "/lab"}).nodeConfigOf(c)
		var text strings.Builder
		for name, tmpl := range nodeFiles {
			var file strings.Builder
			require.NoError(t, tmpl.Execute(&file, cfg))
			if strings.HasSuffix(name, ".conflist") {
				require.True(t, json.Valid([]byte(file.String())), file.String())
			}
			text.WriteString(strings.ReplaceAll(file.String(), registryAddress, "the registry"))
		}
		for _, said := range []string{rules, text.String()} {
			require.Equal(t, c.has(corev1.IPv4Protocol), strings.Contains(said, "10.200.0.0/16"), said)
			require.Equal(t, c.has(corev1.IPv6Protocol), strings.Contains(said, "2001:db8::ac8:0/112"), said)
		}
		require.Equal(t, c.has(corev1.IPv4Protocol), strings.Contains(text.String(), "192.0.2.0/24"))
		require.Equal(t, c.has(corev1.IPv4Protocol), strings.Contains(text.String(), "0.0.0.0/0"))
	}
}

// A cloud gives a Service an address of each of its families, in its order, or one name.
func TestCloud_DualStack_GivesBothAddresses(t *testing.T) {
	c := &cloud{cluster: Cluster{Name: "west", Index: 1, Real: true}}
	svc := &corev1.Service{Spec: corev1.ServiceSpec{IPFamilies: []corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol}}}
	lb := &balancer{ordinal: 1}
	require.Equal(t, []corev1.LoadBalancerIngress{{IP: "2001:db8::cb00:7112"}, {IP: "203.0.113.18"}}, c.addresses(svc, lb, CloudBehaviour{}))
	require.Equal(t, []corev1.LoadBalancerIngress{{Hostname: "lb-18.west.lab.example"}}, c.addresses(svc, lb, CloudBehaviour{Address: "hostname"}))
	svc.Spec.IPFamilies = both[:1]
	require.Equal(t, []corev1.LoadBalancerIngress{{IP: "203.0.113.18"}}, c.addresses(svc, lb, CloudBehaviour{}))
}

// The lab's DNS knows the cloud's host names, in each family that the lab has. A backslash in
// a Corefile stands for itself, but before a quotation mark.
func TestDNS_KnowsTheCloudsHostNames(t *testing.T) {
	for _, families := range [][]corev1.IPFamily{both[:1], both[1:], both} {
		c := Cluster{Name: "west", Index: 1, Real: true, Families: families}
		text, err := dnsOf(c)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`match "(.*)"`).FindAllStringSubmatch(text, -1) {
			require.Equal(t, []string{"lb-18.west.lab.example.", "18"}, regexp.MustCompile(match[1]).FindStringSubmatch("lb-18.west.lab.example."))
		}
		require.Equal(t, c.has(corev1.IPv4Protocol), strings.Contains(text, "IN A 203.0.113.{{ .Group.n }}"), text)
		require.Equal(t, c.has(corev1.IPv6Protocol), strings.Contains(text, "IN AAAA 2001:db8::203.0.113.{{ .Group.n }}"), text)
		require.Equal(t, 2-len(families), strings.Count(text, "rcode NOERROR"), text)
	}
}
