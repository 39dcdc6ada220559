package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	componentEastWest = "east-west-gateway"
	componentEgress   = "egress-gateway"
	statusPort        = 15021
)

// EnsureEastWestGateway is step 7: the gateway chart as istio-eastwestgateway.
// The network label comes with the chart: a Service that is labelled later loses
// its address on some clouds.
func (a *Activities) EnsureEastWestGateway(ctx context.Context, in api.EnsureEastWestGatewayInput) (fleet.Changes, error) {
	g := in.Gateways
	if !g.EastWest.Managed() {
		changes, err := a.ensurePort(ctx, in.ClusterRef, g)
		return changes, err
	}
	values := map[string]any{
		"labels": map[string]any{fleet.LabelNetwork: in.Network},
		"env":    map[string]any{"ISTIO_META_REQUESTED_NETWORK_VIEW": in.Network},
		"service": map[string]any{
			"type": "LoadBalancer",
			// The guide also opens 15012 and 15017, where nothing listens.
			"ports": []any{port("status-port", statusPort), port("tls", g.DataPlanePort), port(apiPortName, g.APIPort)},
		},
	}
	if len(g.ServiceAnnotations) > 0 {
		notes := map[string]any{}
		for k, v := range g.ServiceAnnotations {
			notes[k] = v
		}
		values["service"].(map[string]any)["annotations"] = notes
	}
	changes, err := a.ensureGateway(ctx, in.ClusterRef, componentEastWest, "", fleet.EastWestGateway, in.GatewaySettings, values)
	return changes, err
}

// RemoveEastWestGateway undoes step 7, and waits until the cloud has its address
// back: a Service with a load balancer goes only then.
// From a gateway of one's own only the port goes that was added.
func (a *Activities) RemoveEastWestGateway(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	ports, err := a.removePorts(ctx, in)
	if err != nil {
		return ports, err
	}
	removed, err := a.removeGateways(ctx, in, componentEastWest)
	removed.Changes = append(ports.Changes, removed.Changes...)
	return removed, err
}

// EnsureEgressGateway is step 10: the gateway chart as
// kube-apiserver-<target>-egress-gateway, with an identity of its own, by which
// the target knows this source.
func (a *Activities) EnsureEgressGateway(ctx context.Context, in api.EnsureEgressGatewayInput) (fleet.Changes, error) {
	values := map[string]any{
		"serviceAccount": map[string]any{"name": fleet.EgressIdentity(in.Link)},
		"service":        map[string]any{"type": "ClusterIP", "ports": []any{port("remote-kube-apiserver", fleet.EgressPort)}},
	}
	changes, err := a.ensureGateway(ctx, in.ClusterRef, componentEgress, in.Link.ID(), fleet.EgressGateway(in.Link.To), in.GatewaySettings, values)
	return changes, err
}

// RemoveEgressGateway undoes step 10.
func (a *Activities) RemoveEgressGateway(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeGateways(ctx, in, componentEgress)
}

func (a *Activities) ensureGateway(ctx context.Context, s api.ClusterRef, component, link, release string, set api.GatewaySettings, values map[string]any) (fleet.Changes, error) {
	w, err := a.writer(ctx, s, component, link)
	if err != nil {
		return fleet.Changes{}, err
	}
	c, err := chart.Load(set.Gateways.Chart, a.ChartDir, set.Istio.Version)
	if err != nil {
		return fleet.Changes{}, err
	}
	releases, err := chart.Open(w, s.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	common := map[string]any{
		// By default the chart lets a gateway read every Secret of the namespace.
		"rbac":   map[string]any{"enabled": false},
		"labels": releases.Labels(),
	}
	if set.Istio.Platform != "" {
		common["global"] = map[string]any{"platform": set.Istio.Platform}
	}
	if rev := set.Istio.Rev(); rev != "default" {
		common["revision"] = rev
	}
	kube.Waiting(ctx, "Helm is working on "+release)
	if err := releases.Ensure(ctx, release, c, overlay(common, values)); err != nil {
		return w.Changes(), err
	}
	if s.DryRun {
		return w.Changes(), nil
	}
	return w.Changes(), w.WaitDeployment(ctx, s.Namespace, release)
}

func (a *Activities) removeGateways(ctx context.Context, in api.RemoveInput, component string) (fleet.Changes, error) {
	w, err := a.remover(ctx, in, component)
	if err != nil {
		return fleet.Changes{}, err
	}
	// Without the namespace there is nothing; Helm would not say so.
	if _, gone, err := namespaceGone(ctx, w.Cluster, in.Namespace); gone || err != nil {
		return fleet.Changes{}, err
	}
	releases, err := chart.Open(w, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	kube.Waiting(ctx, "Helm is uninstalling")
	if err := releases.Remove(ctx, in.OnlyRun); err != nil || in.DryRun {
		return w.Changes(), err
	}
	// What is on its way out, from this try or one before it, is waited for.
	services, err := w.Owned(ctx, kinds.Services, in.Namespace, "")
	if err != nil {
		return w.Changes(), err
	}
	for i := range services {
		if services[i].GetDeletionTimestamp() == nil {
			continue
		}
		if err := w.WaitGone(ctx, kinds.Services, &services[i]); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

func port(name string, number int) map[string]any {
	return map[string]any{"name": name, "port": number, "protocol": "TCP", "targetPort": number}
}
