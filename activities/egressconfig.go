package activities

import (
	"context"
	"strconv"

	networkingapi "istio.io/api/networking/v1alpha3"
	securityapi "istio.io/api/security/v1beta1"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	security "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

const (
	componentEgressConfig = "egress-config"
)

// EnsureEgressConfig does step 11: what comes to the egress gateway for the
// target's API server leaves it inside mutual TLS for the target's east-west
// gateway.
func (a *Activities) EnsureEgressConfig(ctx context.Context, in api.EnsureEgressConfigInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentEgressConfig, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	if in.DryRun && !in.Address.Known() {
		in.Address.Hostname = fleet.AddressLater
	}
	for _, obj := range egressConfig(in) {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveEgressConfig undoes EnsureEgressConfig.
func (a *Activities) RemoveEgressConfig(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentEgressConfig, in.Namespace,
		kinds.VirtualServices, kinds.IstioGateways, kinds.DestinationRules, kinds.ServiceEntries, kinds.AuthorizationPolicies)
}

// egressConfig returns the objects of step 11 from the target inwards, so that
// nothing is routed to what is not there yet.
func egressConfig(in api.EnsureEgressConfigInput) []any {
	return []any{egressAccess(in), targetEntry(in), targetTLS(in), egressGateway(in), egressRouting(in)}
}

// egressAccess allows istiod's connections where a policy of the namespace or of the
// mesh denies what nobody allows. istiod has no identity there: its TLS session is
// with the target's API server, which asks for the token.
func egressAccess(in api.EnsureEgressConfigInput) *security.AuthorizationPolicy {
	return workloadPolicy(in.Mode.Service(in.Link.To), in.Namespace, egressPods(in), &securityapi.Rule{
		To: []*securityapi.Rule_To{{Operation: &securityapi.Operation{Ports: []string{strconv.Itoa(in.GatewayPort())}}}}})
}

func egressPods(in api.EnsureEgressConfigInput) map[string]string {
	return map[string]string{"app": in.Mode.Gateway(in.Link.To)}
}

// egressMeta names what belongs to the egress gateway of one mode.
func egressMeta(in api.EnsureEgressConfigInput) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: in.Namespace, Name: in.Mode.Service(in.Link.To)}
}

// targetMeta names what leads to the target from the gateway of either mode.
func targetMeta(in api.EnsureEgressConfigInput) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: in.Namespace, Name: fleet.EgressGateway(in.Link.To)}
}

func egressHost(in api.EnsureEgressConfigInput) string {
	return fleet.TunnelHost(in.Link.To, in.Namespace)
}

func egressGateway(in api.EnsureEgressConfigInput) *networking.Gateway {
	return &networking.Gateway{
		TypeMeta: typeMeta(kinds.IstioGateways), ObjectMeta: egressMeta(in),
		Spec: networkingapi.Gateway{
			Selector: egressPods(in),
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: uint32(in.GatewayPort()), Name: "tls", Protocol: "TLS"},
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_PASSTHROUGH},
				Hosts: []string{in.TLSServerName},
			}},
		},
	}
}

func egressRouting(in api.EnsureEgressConfigInput) *networking.VirtualService {
	return &networking.VirtualService{
		TypeMeta: typeMeta(kinds.VirtualServices), ObjectMeta: egressMeta(in),
		Spec: networkingapi.VirtualService{
			ExportTo: []string{"."},
			Hosts:    []string{in.TLSServerName},
			Gateways: []string{in.Mode.Service(in.Link.To)},
			Tls: []*networkingapi.TLSRoute{{
				Match: []*networkingapi.TLSMatchAttributes{{Port: uint32(in.GatewayPort()), SniHosts: []string{in.TLSServerName}}},
				Route: []*networkingapi.RouteDestination{{Destination: &networkingapi.Destination{
					Host: egressHost(in), Port: &networkingapi.PortSelector{Number: uint32(in.APIPort)}}}},
			}},
		},
	}
}
