package integration

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Clusters whose networks have IPv6 alone, and then both families. One lab goes before the
// next one comes.
func TestRealNodes_IPv6_CarriesAloneAndBesideIPv4(t *testing.T) {
	t.Run("alone", ipv6Only)
	t.Run("beside IPv4", dualStack)
}

// onePodEach spares what these tests do not ask about.
const onePodEach = "eastWest: {replicas: 1}, egress: {replicas: 1}"

// ipv6Only requires that a whole life needs no IPv4 but that of loopback.
func ipv6Only(t *testing.T) {
	r := newReal(t, 2, "mesh", "--ip-families", "IPv6")
	same := r.unchanged("east", "west")
	r.edit("gateways: {", "gateways: {"+onePodEach+", ")
	r.rollout()
	r.allProven()
	t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "seen"))
	t.Logf("a Service of east in west's istiod after %s", r.sees("west", "east", "seen"))
	r.appTraffic()
	r.noIPv4("east", "west")
	r.rotates() // what is broken meanwhile has its right name, too
	r.deleteNamespace("demo", "east", "west")
	r.must("cleanup", "-f", r.fleet)
	same()
}

// dualStack requires that a link goes to the first address that the cloud gave, or to the
// one that the fleet file chooses. What a cleanup leaves has nothing to do with addresses.
func dualStack(t *testing.T) {
	r := newReal(t, 2, "mesh", "--ip-families", "IPv4,IPv6")
	r.edit("gateways: {", "gateways: {"+onePodEach+", ")
	r.edit("eastWest: {", "eastWest: {service: {ipFamilyPolicy: RequireDualStack}, ")
	r.rollout()
	r.allProven()
	for _, c := range []string{"east", "west"} {
		require.Equal(t, []bool{true, false}, are4(r.balancers(c)), "the cloud gave an address of each family")
	}
	require.Equal(t, r.balancers("west")[:1], r.leadsTo("east", "west"), "by default to the first one")
	r.appTraffic()

	r.edit("eastWest: {", "eastWest: {addresses: ipv6, ")
	r.rollout()
	r.allProven()
	require.Equal(t, r.balancers("west")[1:], r.leadsTo("east", "west"))
	require.Equal(t, r.balancers("east")[1:], r.leadsTo("west", "east"))
}

// edit replaces text of the fleet file.
func (r *real) edit(old, with string) {
	r.t.Helper()
	before, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	require.Contains(r.t, string(before), old)
	require.NoError(r.t, os.WriteFile(r.fleet, []byte(strings.Replace(string(before), old, with, 1)), 0o600))
}

// noIPv4 requires that neither the nodes nor any pod or Service of theirs has an IPv4 address.
func (r *real) noIPv4(names ...string) {
	for _, c := range names {
		out, err := r.inNode(c, "ip", "-4", "-oneline", "address")
		require.NoError(r.t, err, out)
		require.Equal(r.t, 1, strings.Count(out, " inet "), out)
		require.Contains(r.t, out, " inet 127.0.0.1/8 ")
		pods, err := r.connect(c).CoreV1().Pods("").List(context.Background(), metav1.ListOptions{})
		require.NoError(r.t, err)
		services, err := r.connect(c).CoreV1().Services("").List(context.Background(), metav1.ListOptions{})
		require.NoError(r.t, err)
		var all []string
		for _, p := range pods.Items {
			for _, ip := range p.Status.PodIPs {
				all = append(all, ip.IP)
			}
		}
		for _, s := range services.Items {
			all = append(all, s.Spec.ClusterIPs...)
		}
		require.NotContains(r.t, are4(append(all, r.balancers(c)...)), true, "%s: %v", c, all)
		r.t.Logf("%s has %d pods and %d Services, and an IPv4 address on loopback only", c, len(pods.Items), len(services.Items))
	}
}

// are4 tells of each address whether it is one of IPv4.
func are4(ips []string) (out []bool) {
	for _, ip := range ips {
		addr, err := netip.ParseAddr(ip)
		out = append(out, err == nil && addr.Is4())
	}
	return out
}

// balancers returns the addresses that the cloud gave a cluster's gateway.
func (r *real) balancers(cluster string) (out []string) {
	svc, err := r.connect(cluster).CoreV1().Services("istio-system").Get(context.Background(), "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	for _, i := range svc.Status.LoadBalancer.Ingress {
		out = append(out, i.IP)
	}
	return out
}

// leadsTo returns the addresses to which a cluster's egress gateway connects.
func (r *real) leadsTo(cluster, target string) (out []string) {
	entry, err := r.connect(cluster).dyn.Resource(serviceEntries).Namespace("istio-system").Get(context.Background(), "kube-apiserver-"+target+"-egress-gateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	for _, e := range entry.Object["spec"].(map[string]any)["endpoints"].([]any) {
		out = append(out, fmt.Sprint(e.(map[string]any)["address"]))
	}
	return out
}
