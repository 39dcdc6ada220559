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
	componentExposure = "exposure"
	gatewayName       = "east-west"
	routingName       = "east-west-routing"
	denyName          = "east-west-deny"
)

// EnsureExposure does step 8: it puts kube-apiserver behind the east-west gateway,
// for the mesh's mutual TLS only, and allows nobody in: links do. The denial comes
// first, so that there is no moment without it. Where the guide's mesh becomes the fleet's, the
// guide's egress gateways stay let in until ShutGuideOut.
func (a *Activities) EnsureExposure(ctx context.Context, in api.EnsureExposureInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentExposure, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if err := beforeDenial(ctx, w, in); err != nil {
		return w.Changes(), err
	}
	for _, obj := range exposure(in) {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveExposure undoes EnsureExposure. The denial goes last.
func (a *Activities) RemoveExposure(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentExposure, in.Namespace, kinds.VirtualServices, kinds.IstioGateways, kinds.AuthorizationPolicies)
}

// exposure returns the objects of step 8 in the order in which they are applied.
func exposure(in api.EnsureExposureInput) []any {
	return []any{denial(in), eastWestGateway(in), eastWestRouting(in)}
}

// denial lets nobody in. An existing gateway has other ports, which stay as open as
// they are.
func denial(in api.EnsureExposureInput) *security.AuthorizationPolicy {
	var others *securityapi.Rule
	if !in.Gateways.EastWest.Managed() {
		others = &securityapi.Rule{To: []*securityapi.Rule_To{{Operation: &securityapi.Operation{NotPorts: []string{strconv.Itoa(in.Gateways.APIPort)}}}}}
	}
	return workloadPolicy(denyName, in.Namespace, in.Gateways.EastWest.Selector(), others)
}

// eastWestGateway configures the port of the API and, on a gateway that Landbridge
// installs, that of the mesh's traffic: an existing gateway has a Gateway for that.
func eastWestGateway(in api.EnsureExposureInput) *networking.Gateway {
	servers := []*networkingapi.Server{{
		Port:  &networkingapi.Port{Number: uint32(in.Gateways.APIPort), Name: "tls-kubernetes", Protocol: "TLS"},
		Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_ISTIO_MUTUAL},
		Hosts: []string{fleet.TunnelHost(in.Cluster, in.Namespace)},
	}}
	if in.Gateways.EastWest.Managed() {
		servers = append([]*networkingapi.Server{{
			Port:  &networkingapi.Port{Number: uint32(in.Gateways.DataPlanePort), Name: "data-plane", Protocol: "TLS"},
			Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_AUTO_PASSTHROUGH},
			Hosts: in.Gateways.DataPlaneHosts,
		}}, servers...)
	}
	return &networking.Gateway{
		TypeMeta:   typeMeta(kinds.IstioGateways),
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: gatewayName},
		Spec:       networkingapi.Gateway{Selector: in.Gateways.EastWest.Selector(), Servers: servers},
	}
}

// eastWestRouting uses a tcp route: an ISTIO_MUTUAL server honours no other.
func eastWestRouting(in api.EnsureExposureInput) *networking.VirtualService {
	return &networking.VirtualService{
		TypeMeta:   typeMeta(kinds.VirtualServices),
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: routingName},
		Spec: networkingapi.VirtualService{
			ExportTo: []string{"."},
			Hosts:    []string{fleet.TunnelHost(in.Cluster, in.Namespace)},
			Gateways: []string{gatewayName},
			Tcp: []*networkingapi.TCPRoute{{
				Match: []*networkingapi.L4MatchAttributes{{Port: uint32(in.Gateways.APIPort)}},
				Route: []*networkingapi.RouteDestination{{Destination: &networkingapi.Destination{
					Host: "kubernetes.default.svc." + fleet.ClusterDomain, Port: &networkingapi.PortSelector{Number: 443}}}},
			}},
		},
	}
}
