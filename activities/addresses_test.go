package activities

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// statuses lists what load balancers say of themselves: the addresses in their order,
// and what each setting takes of them. Two addresses joined by = belong to one entry.
var statuses = []struct {
	status string
	takes  map[string]string
}{
	{"", map[string]string{}},
	{"203.0.113.7", map[string]string{"first": "203.0.113.7", "all": "203.0.113.7", "ipv4": "203.0.113.7", "public": "203.0.113.7"}},
	{"2001:db8::7", map[string]string{"first": "2001:db8::7", "all": "2001:db8::7", "ipv6": "2001:db8::7", "public": "2001:db8::7"}},
	{"10.0.0.7", map[string]string{"first": "10.0.0.7", "all": "10.0.0.7", "ipv4": "10.0.0.7", "private": "10.0.0.7"}},
	{"100.64.0.7", map[string]string{"first": "100.64.0.7", "all": "100.64.0.7", "ipv4": "100.64.0.7", "private": "100.64.0.7"}},
	{"lb.example.com", map[string]string{"first": "lb.example.com", "all": "lb.example.com", "hostname": "lb.example.com"}},
	// One load balancer with both.
	{"203.0.113.7=lb.example.com", map[string]string{"first": "203.0.113.7", "all": "203.0.113.7", "ipv4": "203.0.113.7", "public": "203.0.113.7", "hostname": "lb.example.com"}},
	// Two families.
	{"203.0.113.7 2001:db8::7", map[string]string{"first": "203.0.113.7", "all": "203.0.113.7 2001:db8::7", "ipv4": "203.0.113.7", "ipv6": "2001:db8::7", "public": "203.0.113.7 2001:db8::7"}},
	{"2001:db8::7 203.0.113.7", map[string]string{"first": "2001:db8::7", "all": "2001:db8::7 203.0.113.7", "ipv4": "203.0.113.7", "ipv6": "2001:db8::7", "public": "2001:db8::7 203.0.113.7"}},
	// Public and private.
	{"203.0.113.7 10.0.0.7", map[string]string{"first": "203.0.113.7", "all": "203.0.113.7 10.0.0.7", "ipv4": "203.0.113.7 10.0.0.7", "public": "203.0.113.7", "private": "10.0.0.7"}},
	{"fd00::7 2001:db8::7", map[string]string{"first": "fd00::7", "all": "fd00::7 2001:db8::7", "ipv6": "fd00::7 2001:db8::7", "public": "2001:db8::7", "private": "fd00::7"}},
	// The nodes of a small cluster, and nonsense.
	{"192.168.1.3 192.168.1.2 192.168.1.3", map[string]string{"first": "192.168.1.2 192.168.1.3", "all": "192.168.1.2 192.168.1.3", "ipv4": "192.168.1.2 192.168.1.3", "private": "192.168.1.2 192.168.1.3"}},
	{"not-an-ip=lb.example.com fe80::1%eth0=", map[string]string{"first": "lb.example.com", "all": "lb.example.com", "hostname": "lb.example.com"}},
	// A hostname and an IP, and the case that a real cloud had.
	{"lb.example.com 203.0.113.7", map[string]string{"first": "lb.example.com", "all": "203.0.113.7 lb.example.com", "ipv4": "203.0.113.7", "public": "203.0.113.7", "hostname": "lb.example.com"}},
	{"203.0.113.7 2001:db8::7 10.0.0.7", map[string]string{"first": "203.0.113.7", "all": "203.0.113.7 10.0.0.7 2001:db8::7", "ipv4": "203.0.113.7 10.0.0.7", "ipv6": "2001:db8::7", "public": "203.0.113.7 2001:db8::7", "private": "10.0.0.7"}},
}

// ingress reads one entry of a status.
func ingress(text string) (out []corev1.LoadBalancerIngress) {
	for _, entry := range strings.Fields(text) {
		ip, hostname, both := strings.Cut(entry, "=")
		if !both && strings.Contains(ip, ".com") {
			ip, hostname = "", ip
		}
		out = append(out, corev1.LoadBalancerIngress{IP: ip, Hostname: hostname})
	}
	return out
}

func TestChooseAddress_EachStatusAndSetting_TakesOneFamilyAndKind(t *testing.T) {
	for _, s := range statuses {
		svc := &corev1.Service{Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: ingress(s.status)}}}
		for _, setting := range []string{"", "first", "all", "ipv4", "ipv6", "public", "private", "hostname"} {
			want := s.takes[setting]
			if setting == "" {
				want = s.takes["first"] // an older input has no setting
			}
			got := chooseAddress(listedAddresses(svc), setting)
			require.Equal(t, want, strings.Join(got.All(), " "), "%s of %s", setting, s.status)
		}
	}
}

func TestWaitLoadBalancer_NoAddressOfTheWantedKind_SaysWhichAreThere(t *testing.T) {
	t.Parallel() // it takes its time
	w := newWorld(t, "west")
	w.Put(w.service(ingress("203.0.113.7 10.0.0.7=lb.example.com")...))
	_, err := w.waitFor(fleet.EastWest{Addresses: fleet.AddressesIPv6}, 3*time.Second)
	require.EqualError(t, err, "the east-west gateway has no address at the end of spec.gateways.loadBalancerTimeout: "+
		"Service istio-system/istio-eastwestgateway has 203.0.113.7, 10.0.0.7, lb.example.com and no address for spec.gateways.eastWest.addresses: ipv6")
}
