package activities

import (
	"context"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentEgressConfig = "egress-config"

// EnsureEgressConfigInput says where the target is and by which name its API
// server is asked for. Its ref is the source.
type EnsureEgressConfigInput struct {
	LinkRef
	// TLSServerName is the SNI of the inner TLS session, from istiod.
	TLSServerName string  `json:"tlsServerName"`
	Address       Address `json:"address"`
	APIPort       int     `json:"apiPort"`
	TrustDomain   string  `json:"trustDomain"`
	// EastWest is the target's door.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
}

// EnsureEgressConfigResult is what was written.
type EnsureEgressConfigResult struct{ fleet.Changes }

// EnsureEgressConfig is step 11: what comes to the egress gateway for the
// target's API server leaves it inside mutual TLS for the target's door.
func (a *Activities) EnsureEgressConfig(ctx context.Context, in EnsureEgressConfigInput) (EnsureEgressConfigResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentEgressConfig, in.Link.ID())
	if err != nil {
		return EnsureEgressConfigResult{}, err
	}
	if in.DryRun && !in.Address.Known() {
		in.Address.Hostname = "known-after-step-7.invalid"
	}
	// From the outside in, so that nothing is routed to what is not there yet.
	for _, obj := range []any{targetEntry(in), targetTLS(in), egressGateway(in), egressRouting(in)} {
		if err := w.Apply(ctx, obj); err != nil {
			return EnsureEgressConfigResult{w.Changes()}, err
		}
	}
	return EnsureEgressConfigResult{w.Changes()}, nil
}

// RemoveEgressConfig undoes step 11.
func (a *Activities) RemoveEgressConfig(ctx context.Context, in RemoveInput) (RemoveResult, error) {
	return a.removeAll(ctx, in, componentEgressConfig, in.Namespace,
		kube.VirtualServices, kube.IstioGateways, kube.DestinationRules, kube.ServiceEntries)
}

func (in EnsureEgressConfigInput) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: in.Namespace, Name: fleet.EgressGateway(in.Link.To)}
}

func (in EnsureEgressConfigInput) host() string { return fleet.TunnelHost(in.Link.To, in.Namespace) }

func egressGateway(in EnsureEgressConfigInput) *networking.Gateway {
	return &networking.Gateway{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "Gateway"}, ObjectMeta: in.meta(),
		Spec: networkingapi.Gateway{
			Selector: map[string]string{"app": fleet.EgressGateway(in.Link.To)},
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: egressPort, Name: "tls", Protocol: "TLS"},
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_PASSTHROUGH},
				Hosts: []string{in.TLSServerName},
			}},
		},
	}
}

func egressRouting(in EnsureEgressConfigInput) *networking.VirtualService {
	return &networking.VirtualService{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "VirtualService"}, ObjectMeta: in.meta(),
		Spec: networkingapi.VirtualService{
			ExportTo: []string{"."},
			Hosts:    []string{in.TLSServerName},
			Gateways: []string{fleet.EgressGateway(in.Link.To)},
			Tls: []*networkingapi.TLSRoute{{
				Match: []*networkingapi.TLSMatchAttributes{{Port: egressPort, SniHosts: []string{in.TLSServerName}}},
				Route: []*networkingapi.RouteDestination{{Destination: &networkingapi.Destination{
					Host: in.host(), Port: &networkingapi.PortSelector{Number: uint32(in.APIPort)}}}},
			}},
		},
	}
}

func targetTLS(in EnsureEgressConfigInput) *networking.DestinationRule {
	return &networking.DestinationRule{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "DestinationRule"}, ObjectMeta: in.meta(),
		Spec: networkingapi.DestinationRule{
			ExportTo: []string{"."},
			Host:     in.host(),
			TrafficPolicy: &networkingapi.TrafficPolicy{Tls: &networkingapi.ClientTLSSettings{
				Mode: networkingapi.ClientTLSSettings_ISTIO_MUTUAL, Sni: in.host()}},
		},
	}
}

// targetEntry is STATIC for IPs, all of them, and DNS for a hostname.
func targetEntry(in EnsureEgressConfigInput) *networking.ServiceEntry {
	resolution, addresses := networkingapi.ServiceEntry_STATIC, in.Address.IPs
	if in.Address.Hostname != "" {
		resolution, addresses = networkingapi.ServiceEntry_DNS, []string{in.Address.Hostname}
	}
	var endpoints []*networkingapi.WorkloadEntry
	for _, addr := range addresses {
		endpoints = append(endpoints, &networkingapi.WorkloadEntry{Address: addr})
	}
	return &networking.ServiceEntry{
		TypeMeta: metav1.TypeMeta{APIVersion: networkingV1, Kind: "ServiceEntry"}, ObjectMeta: in.meta(),
		Spec: networkingapi.ServiceEntry{
			ExportTo:   []string{"."},
			Hosts:      []string{in.host()},
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
