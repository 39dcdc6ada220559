package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	componentEastWest = "east-west-gateway"
	// statusPort answers load balancers that ask for a gateway's health.
	statusPort = 15021
	// apiPortName names the port of the API on an east-west gateway's Service.
	apiPortName = "istio-mtls-kube-api-server"
)

// EnsureEastWestGateway does step 7: it installs the gateway chart as
// istio-eastwestgateway, or gives an existing gateway the port of the API.
func (a *Activities) EnsureEastWestGateway(ctx context.Context, in api.EnsureEastWestGatewayInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentEastWest, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	if !in.Gateways.EastWest.Managed() {
		return ensurePort(ctx, w, in.Namespace, in.Gateways)
	}
	return a.ensureGateway(ctx, w, in.Namespace, eastWestRelease(in))
}

// eastWestRelease leaves out two ports of the guide, 15012 and 15017: nothing
// listens there. The network label comes with the chart, since a Service that is
// labelled later loses its address on some clouds.
func eastWestRelease(in api.EnsureEastWestGatewayInput) gatewayRelease {
	service := map[string]any{
		"type": in.Gateways.EastWest.Service.Type,
		"ports": []any{
			gatewayPort("status-port", statusPort),
			gatewayPort("tls", in.Gateways.DataPlanePort),
			apiServicePort(in.Gateways),
		},
	}
	addServiceNetwork(service, in.Gateways.EastWest.Service)
	if given := in.Gateways.EastWest.Service.Annotations; len(given) > 0 {
		service["annotations"] = stringValues(given)
	}
	return gatewayRelease{name: fleet.EastWestGateway, settings: in.GatewaySettings, pods: in.Gateways.EastWest.Pods, field: "gateways.eastWest",
		dualStack: in.Gateways.EastWest.Service.DualStack(), values: map[string]any{
			"labels":  map[string]any{fleet.LabelNetwork: in.Network},
			"env":     map[string]any{"ISTIO_META_REQUESTED_NETWORK_VIEW": in.Network},
			"service": service,
		}}
}

// addServiceNetwork sets how the Service is reached from outside, by the names that the
// chart has for it.
func addServiceNetwork(values map[string]any, s fleet.Service) {
	for name, value := range map[string]string{"loadBalancerClass": s.LoadBalancerClass,
		"externalTrafficPolicy": s.ExternalTrafficPolicy, "ipFamilyPolicy": s.IPFamilyPolicy} {
		if value != "" {
			values[name] = value
		}
	}
	for name, list := range map[string][]string{"loadBalancerSourceRanges": s.SourceRanges, "ipFamilies": s.IPFamilies} {
		if len(list) > 0 {
			var items []any
			for _, item := range list {
				items = append(items, item)
			}
			values[name] = items
		}
	}
}

// apiServicePort returns the port of an east-west gateway's Service that leads to the API.
func apiServicePort(g fleet.Gateways) map[string]any {
	p := gatewayPort(apiPortName, g.APIPort)
	if outside := g.EastWest.Service.APIPort; outside != 0 {
		p["port"] = outside
	}
	if node := g.EastWest.Service.NodePort; node != 0 {
		p["nodePort"] = node
	}
	return p
}

// RemoveEastWestGateway undoes EnsureEastWestGateway, and waits until the cloud has
// its address back. An existing gateway loses only the port that was added.
func (a *Activities) RemoveEastWestGateway(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	ports, err := a.removePorts(ctx, in)
	if err != nil {
		return ports, err
	}
	removed, err := a.removeGateways(ctx, in, componentEastWest)
	removed.Changes = append(ports.Changes, removed.Changes...)
	return removed, err
}
