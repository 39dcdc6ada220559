package activities

import (
	"context"
	"strconv"

	networkingapi "istio.io/api/networking/v1alpha3"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	security "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

const (
	componentExposure = "exposure"
	componentAccess   = "access"

	gatewayName      = "east-west"
	routingName      = "east-west-routing"
	denyName         = "east-west-deny"
	accessNamePrefix = "kube-apiserver-from-"

	networkingV1 = "networking.istio.io/v1"
	securityV1   = "security.istio.io/v1"
)

// EnsureExposure is step 8: kube-apiserver behind the east-west gateway, for
// mutual TLS of the mesh only, and nobody allowed in until a link says so. The
// denial comes first, so that there is no moment without it.
func (a *Activities) EnsureExposure(ctx context.Context, in api.EnsureExposureInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentExposure, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	for _, obj := range []any{
		denial(in),
		eastWestGateway(in),
		eastWestRouting(in),
	} {
		if err := w.Apply(ctx, obj); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// RemoveExposure undoes step 8. The denial goes last.
func (a *Activities) RemoveExposure(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentExposure, in.Namespace, kinds.VirtualServices, kinds.IstioGateways, kinds.AuthorizationPolicies)
}

// denial lets nobody in. A gateway of one's own has other ports, which stay as
// open as they are.
func denial(in api.EnsureExposureInput) *security.AuthorizationPolicy {
	var others *securityapi.Rule
	if !in.Gateways.EastWest.Managed() {
		others = &securityapi.Rule{To: []*securityapi.Rule_To{{Operation: &securityapi.Operation{NotPorts: []string{strconv.Itoa(in.Gateways.APIPort)}}}}}
	}
	return policy(denyName, in.Namespace, in.Gateways.EastWest.Selector(), others)
}

// eastWestGateway leaves the mesh's own traffic to the Gateway that a gateway of
// one's own has.
func eastWestGateway(in api.EnsureExposureInput) *networking.Gateway {
	g := &networking.Gateway{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingV1, Kind: "Gateway"},
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: gatewayName},
		Spec: networkingapi.Gateway{
			Selector: in.Gateways.EastWest.Selector(),
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: uint32(in.Gateways.DataPlanePort), Name: "data-plane", Protocol: "TLS"},
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_AUTO_PASSTHROUGH},
				Hosts: in.Gateways.DataPlaneHosts,
			}, {
				Port:  &networkingapi.Port{Number: uint32(in.Gateways.APIPort), Name: "tls-kubernetes", Protocol: "TLS"},
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_ISTIO_MUTUAL},
				Hosts: []string{fleet.TunnelHost(in.Cluster, in.Namespace)},
			}},
		},
	}
	if !in.Gateways.EastWest.Managed() {
		g.Spec.Servers = g.Spec.Servers[1:]
	}
	return g
}

// eastWestRouting has a tcp route: an ISTIO_MUTUAL server honours no other.
func eastWestRouting(in api.EnsureExposureInput) *networking.VirtualService {
	return &networking.VirtualService{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingV1, Kind: "VirtualService"},
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: routingName},
		Spec: networkingapi.VirtualService{
			ExportTo: []string{"."},
			Hosts:    []string{fleet.TunnelHost(in.Cluster, in.Namespace)},
			Gateways: []string{gatewayName},
			Tcp: []*networkingapi.TCPRoute{{
				Match: []*networkingapi.L4MatchAttributes{{Port: uint32(in.Gateways.APIPort)}},
				Route: []*networkingapi.RouteDestination{{Destination: &networkingapi.Destination{
					Host: "kubernetes.default.svc.cluster.local", Port: &networkingapi.PortSelector{Number: 443}}}},
			}},
		},
	}
}

// EnsureAccess is step 8 for one link, in the target: the source's own egress
// identity may use the port of the API. When it goes, that source is shut out.
func (a *Activities) EnsureAccess(ctx context.Context, in api.EnsureAccessInput) (fleet.Changes, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentAccess, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	err = w.Apply(ctx, policy(accessNamePrefix+in.Link.From, in.Namespace, in.EastWest.Selector(), &securityapi.Rule{
		From: []*securityapi.Rule_From{{Source: &securityapi.Source{Principals: []string{
			in.TrustDomain + "/ns/" + in.SourceNamespace + "/sa/" + fleet.EgressIdentity(in.Link)}}}},
		To: []*securityapi.Rule_To{{Operation: &securityapi.Operation{Ports: []string{strconv.Itoa(in.APIPort)}}}},
	}))
	return w.Changes(), err
}

// RemoveAccess undoes EnsureAccess. New connections are refused at once; an open
// one lives until Envoy has drained it, 45 s by default.
func (a *Activities) RemoveAccess(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentAccess, in.Namespace, kinds.AuthorizationPolicies)
}

// policy allows what the rule says on the east-west gateway; without a rule it
// allows nothing, which denies all that no other policy allows.
func policy(name, namespace string, selector map[string]string, rule *securityapi.Rule) *security.AuthorizationPolicy {
	p := &security.AuthorizationPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: securityV1, Kind: "AuthorizationPolicy"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: securityapi.AuthorizationPolicy{
			Selector: &typeapi.WorkloadSelector{MatchLabels: selector},
			Action:   securityapi.AuthorizationPolicy_ALLOW,
		},
	}
	if rule != nil {
		p.Spec.Rules = []*securityapi.Rule{rule}
	}
	return p
}
