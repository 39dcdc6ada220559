package activities

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// targetHost returns the name by which the target's east-west gateway knows its API
// server: it has the namespace of the target's Istio.
func targetHost(in api.EnsureEgressConfigInput) string {
	return fleet.TunnelHost(in.Link.To, targetNamespace(in))
}

func targetNamespace(in api.EnsureEgressConfigInput) string {
	return cmp.Or(in.TargetNamespace, in.Namespace)
}

// targetTLS keeps a target with several addresses at work while some of them are dead.
func targetTLS(in api.EnsureEgressConfigInput) *networking.DestinationRule {
	policy := &networkingapi.TrafficPolicy{Tls: &networkingapi.ClientTLSSettings{
		Mode: networkingapi.ClientTLSSettings_ISTIO_MUTUAL, Sni: targetHost(in)}}
	if len(in.Address.All()) > 1 {
		avoidDead(policy)
	}
	return &networking.DestinationRule{
		TypeMeta: typeMeta(kinds.DestinationRules), ObjectMeta: targetMeta(in),
		Spec: networkingapi.DestinationRule{ExportTo: []string{"."}, Host: egressHost(in), TrafficPolicy: policy},
	}
}

const (
	// connectTimeout leaves time for the API server's clients, which wait for 10 s.
	connectTimeout = 5 * time.Second
	// deadFor says how long a dead address is left out after its first failure. Envoy
	// makes it longer each time, up to 5 minutes.
	deadFor = 3 * time.Minute
)

// avoidDead has all connections go to the first address, so that another one which is
// dead fails none. An address to which one connection failed is left out for a while:
// Envoy does not try a TCP connection again elsewhere. Where all are dead, all are tried.
func avoidDead(p *networkingapi.TrafficPolicy) {
	p.ConnectionPool = &networkingapi.ConnectionPoolSettings{Tcp: &networkingapi.ConnectionPoolSettings_TCPSettings{ConnectTimeout: durationpb.New(connectTimeout)}}
	p.OutlierDetection = &networkingapi.OutlierDetection{
		// For TCP, a connection that fails or takes too long counts as one of these.
		Consecutive_5XxErrors: wrapperspb.UInt32(1),
		BaseEjectionTime:      durationpb.New(deadFor),
		MaxEjectionPercent:    100,
		MinHealthPercent:      1,
	}
	p.LoadBalancer = &networkingapi.LoadBalancerSettings{LocalityLbSetting: &networkingapi.LocalityLoadBalancerSetting{
		Enabled: wrapperspb.Bool(true), FailoverPriority: []string{fleet.LabelAddress + "=" + firstAddress}}}
}

// firstAddress is the label's value on the endpoint that is tried before the others.
const firstAddress = "first"

// targetEntry resolves STATIC for IPs and by DNS where there is a hostname.
func targetEntry(in api.EnsureEgressConfigInput) *networking.ServiceEntry {
	resolution := networkingapi.ServiceEntry_STATIC
	if in.Address.Hostname != "" {
		resolution = networkingapi.ServiceEntry_DNS
	}
	return &networking.ServiceEntry{
		TypeMeta: typeMeta(kinds.ServiceEntries), ObjectMeta: targetMeta(in),
		Spec: networkingapi.ServiceEntry{
			ExportTo:   []string{"."},
			Hosts:      []string{egressHost(in)},
			Ports:      []*networkingapi.ServicePort{{Number: uint32(in.APIPort), Name: targetPortName, Protocol: "TLS"}},
			Location:   networkingapi.ServiceEntry_MESH_INTERNAL,
			Resolution: resolution,
			Endpoints:  targetEndpoints(in),
			// The mesh shares a root, so any of its workloads could answer; only the
			// target's east-west gateway may.
			SubjectAltNames: []string{"spiffe://" + fleet.Principal(in.TrustDomain, targetNamespace(in), in.EastWest.Account())},
		},
	}
}

// targetPortName names the port of the ServiceEntry, which each endpoint may have
// elsewhere.
const targetPortName = "tls"

// targetEndpoints returns the endpoints of the target. One whose port is that of the
// gateway itself does not need to say so.
func targetEndpoints(in api.EnsureEgressConfigInput) (out []*networkingapi.WorkloadEntry) {
	addresses := in.Address.All()
	for i, addr := range addresses {
		e := &networkingapi.WorkloadEntry{Address: addr}
		if p := in.Address.Port; p != 0 && p != in.APIPort {
			e.Ports = map[string]uint32{targetPortName: uint32(p)}
		}
		if i == 0 && len(addresses) > 1 {
			e.Labels = map[string]string{fleet.LabelAddress: firstAddress}
		}
		out = append(out, e)
	}
	return out
}
