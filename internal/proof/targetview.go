package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// What is read of the target, through the link and with the reader's rights: enough
// endpoints to compare, and the Services of the gateways of its network.
const (
	endpointsPath = "/apis/discovery.k8s.io/v1/endpointslices?limit=250"
	gatewaysPath  = "/api/v1/services?labelSelector=topology.istio.io%2Fnetwork"
)

// readTarget reads what the target has now. What the reader may not read is left out.
func (p *prober) readTarget(ctx context.Context) (v view, broken *breakage) {
	ctx, cancel := context.WithTimeout(ctx, requestsTimeout)
	defer cancel()
	session, broken := p.connect(ctx, p.tunnel.serverName)
	if broken != nil {
		return v, broken
	}
	defer session.Close()
	requests := over(session)
	var slices discoveryv1.EndpointSliceList
	var gateways corev1.ServiceList
	for path, into := range map[string]any{endpointsPath: &slices, gatewaysPath: &gateways} {
		code, body, err := p.read(ctx, requests, path, p.tunnel.token)
		switch {
		case err != nil:
			return v, &breakage{hop: api.HopAuthorization, why: fmt.Sprintf("the connection broke at GET %s: %v", path, err), beyond: true}
		case refusedStatus(code):
			continue
		case code != http.StatusOK:
			return v, &breakage{hop: api.HopAPITLS, why: fmt.Sprintf("the target's API server answers GET %s with %d", path, code)}
		}
		if err := json.Unmarshal(body, into); err != nil {
			return v, &breakage{hop: api.HopAPITLS, why: fmt.Sprintf("what answers GET %s is not Kubernetes: %v", path, err)}
		}
	}
	return view{readyAddresses(slices), gatewayAddresses(gateways)}, nil
}

// readyAddresses lists those that istiod takes, by namespace and name of the Service.
func readyAddresses(l discoveryv1.EndpointSliceList) map[string][]string {
	out := map[string][]string{}
	for _, s := range l.Items {
		service := s.Labels[discoveryv1.LabelServiceName]
		if service == "" || s.AddressType == discoveryv1.AddressTypeFQDN {
			continue
		}
		key := s.Namespace + "/" + service
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				out[key] = append(out[key], e.Addresses...)
			}
		}
	}
	return out
}

// gatewayAddresses lists the IPs of load balancers. A hostname istiod resolves for itself.
func gatewayAddresses(l corev1.ServiceList) (out []string) {
	for _, s := range l.Items {
		if s.Spec.Type != corev1.ServiceTypeLoadBalancer || !leadsToServices(s) {
			continue
		}
		for _, at := range s.Status.LoadBalancer.Ingress {
			if at.IP != "" {
				out = append(out, at.IP)
			}
		}
	}
	return out
}

// leadsToServices says whether a Service has the port of the mesh's own traffic.
func leadsToServices(s corev1.Service) bool {
	for _, port := range s.Spec.Ports {
		if port.Port == fleet.DefaultDataPlanePort {
			return true
		}
	}
	return s.Labels["networking.istio.io/gatewayPort"] != ""
}
