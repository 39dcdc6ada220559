package activities

import (
	"context"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

const componentEgressConfig = "egress-config"

// EnsureEgressConfig is step 11: what comes to the egress gateway for the
// target's API server leaves it inside mutual TLS for the target's door.
func (a *Activities) EnsureEgressConfig(ctx context.Context, in api.EnsureEgressConfigInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentEgressConfig, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	if in.DryRun && !in.Address.Known() {
		in.Address.Hostname = "known-after-step-7.invalid"
	}
	// From the outside in, so that nothing is routed to what is not there yet.
	for _, obj := range []any{targetEntry(in), targetTLS(in), egressGateway(in), egressRouting(in)} {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveEgressConfig undoes step 11.
func (a *Activities) RemoveEgressConfig(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentEgressConfig, in.Namespace,
		kinds.VirtualServices, kinds.IstioGateways, kinds.DestinationRules, kinds.ServiceEntries)
}

func egressMeta(in api.EnsureEgressConfigInput) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: in.Namespace, Name: fleet.EgressGateway(in.Link.To)}
}

func egressHost(in api.EnsureEgressConfigInput) string {
	return fleet.TunnelHost(in.Link.To, in.Namespace)
}

func egressGateway(in api.EnsureEgressConfigInput) *networking.Gateway {
	return &networking.Gateway{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "Gateway"}, ObjectMeta: egressMeta(in),
		Spec: networkingapi.Gateway{
			Selector: map[string]string{"app": fleet.EgressGateway(in.Link.To)},
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: fleet.EgressPort, Name: "tls", Protocol: "TLS"},
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_PASSTHROUGH},
				Hosts: []string{in.TLSServerName},
			}},
		},
	}
}

func egressRouting(in api.EnsureEgressConfigInput) *networking.VirtualService {
	return &networking.VirtualService{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "VirtualService"}, ObjectMeta: egressMeta(in),
		Spec: networkingapi.VirtualService{
			ExportTo: []string{"."},
			Hosts:    []string{in.TLSServerName},
			Gateways: []string{fleet.EgressGateway(in.Link.To)},
			Tls: []*networkingapi.TLSRoute{{
				Match: []*networkingapi.TLSMatchAttributes{{Port: fleet.EgressPort, SniHosts: []string{in.TLSServerName}}},
				Route: []*networkingapi.RouteDestination{{Destination: &networkingapi.Destination{
					Host: egressHost(in), Port: &networkingapi.PortSelector{Number: uint32(in.APIPort)}}}},
			}},
		},
	}
}

func targetTLS(in api.EnsureEgressConfigInput) *networking.DestinationRule {
	return &networking.DestinationRule{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "DestinationRule"}, ObjectMeta: egressMeta(in),
		Spec: networkingapi.DestinationRule{
			ExportTo: []string{"."},
			Host:     egressHost(in),
			TrafficPolicy: &networkingapi.TrafficPolicy{Tls: &networkingapi.ClientTLSSettings{
				Mode: networkingapi.ClientTLSSettings_ISTIO_MUTUAL, Sni: egressHost(in)}},
		},
	}
}

// targetEntry is STATIC for IPs, all of them, and DNS for a hostname.
func targetEntry(in api.EnsureEgressConfigInput) *networking.ServiceEntry {
	resolution, addresses := networkingapi.ServiceEntry_STATIC, in.Address.IPs
	if in.Address.Hostname != "" {
		resolution, addresses = networkingapi.ServiceEntry_DNS, []string{in.Address.Hostname}
	}
	var endpoints []*networkingapi.WorkloadEntry
	for _, addr := range addresses {
		endpoints = append(endpoints, &networkingapi.WorkloadEntry{Address: addr})
	}
	return &networking.ServiceEntry{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "ServiceEntry"}, ObjectMeta: egressMeta(in),
		Spec: networkingapi.ServiceEntry{
			ExportTo:   []string{"."},
			Hosts:      []string{egressHost(in)},
			Ports:      []*networkingapi.ServicePort{{Number: uint32(in.APIPort), Name: "tls", Protocol: "TLS"}},
			Location:   networkingapi.ServiceEntry_MESH_INTERNAL,
			Resolution: resolution,
			Endpoints:  endpoints,
			// The mesh shares a root, so any of its workloads could answer; only the
			// target's east-west gateway may.
			SubjectAltNames: []string{"spiffe://" + in.TrustDomain + "/ns/" + in.Namespace + "/sa/" + in.EastWest.Account()},
		},
	}
}
