package activities

import (
	"context"
	"fmt"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// gatewayRelease describes one Helm release of the gateway chart.
type gatewayRelease struct {
	name     string
	settings api.GatewaySettings
	// pods says how the gateway runs, and field where the fleet file has that.
	pods  fleet.Pods
	field string
	// dualStack says that its Service leads to IPv6 where its cluster has that.
	dualStack bool
	// values are those of the step; gatewayValues adds what every gateway has.
	values map[string]any
}

// ensureGateway installs or upgrades a gateway, and waits for its Deployment.
func (a *Activities) ensureGateway(ctx context.Context, w *kube.Writer, namespace string, g gatewayRelease) (fleet.Changes, error) {
	c, err := chart.Load(g.settings.Gateways.Chart, a.ChartDir, g.settings.Istio.Version)
	if err != nil {
		return fleet.Changes{}, err
	}
	releases, err := chart.Open(ctx, w, namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	if g, err = followIstiod(ctx, w, namespace, g); err != nil {
		return fleet.Changes{}, err
	}
	if !w.DryRun { // istiod may get the setting before
		if err := checkFamilies(ctx, w, namespace, g); err != nil {
			return w.Changes(), err
		}
	}
	kube.Waiting(ctx, "Helm is working on "+g.name)
	err = releases.Ensure(ctx, g.name, c, gatewayValues(g, releases.Labels()))
	if is[*chart.ValuesError](err) {
		err = fmt.Errorf("%w; correct %s.values in the fleet file", err, g.field)
	}
	if err != nil || w.DryRun {
		return w.Changes(), err
	}
	if err := w.ScaleUp(ctx, namespace, g.name, g.pods.Count()); err != nil {
		return w.Changes(), err
	}
	return w.Changes(), w.WaitDeployment(ctx, namespace, g.name)
}

// gatewayValues returns the Helm values of a gateway, with the labels on all of its
// objects.
func gatewayValues(g gatewayRelease, labels map[string]any) map[string]any {
	common := map[string]any{
		// By default the chart lets a gateway read every Secret of the namespace.
		"rbac":   map[string]any{"enabled": false},
		"labels": labels,
	}
	if p := g.settings.Istio.Platform; p != "" {
		common["global"] = map[string]any{"platform": p}
	}
	if rev := g.settings.Istio.Rev(); rev != fleet.DefaultRevision {
		common["revision"] = rev
	}
	return overlay(podValues(g.name, g.pods), overlay(common, g.values))
}

// gatewayPort returns a port of a gateway's Service, as Helm values and Kubernetes
// both write it.
func gatewayPort(name string, number int) map[string]any {
	return map[string]any{"name": name, "port": number, "protocol": "TCP", "targetPort": number}
}

// removeGateways uninstalls the gateways of a step, and waits until their Services
// are gone: a cloud takes its time to release an address. What else the step made goes
// after them.
func (a *Activities) removeGateways(ctx context.Context, in api.RemoveInput, component string, also ...kinds.Resource) (fleet.Changes, error) {
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, component, in.Link)
	if err != nil {
		return fleet.Changes{}, err
	}
	// Without the namespace there is nothing to remove; Helm would fail.
	if ns, err := readNamespace(ctx, w.Cluster, in.Namespace); ns == nil || err != nil {
		return fleet.Changes{}, err
	}
	releases, err := chart.Open(ctx, w, in.Namespace)
	if err != nil {
		return fleet.Changes{}, err
	}
	kube.Waiting(ctx, "Helm is uninstalling")
	if err := releases.Remove(ctx, in.OnlyRun); err != nil {
		return w.Changes(), err
	}
	if !in.DryRun {
		if err := waitServicesGone(ctx, w, in.Namespace); err != nil {
			return w.Changes(), err
		}
	}
	for _, k := range also {
		if err := w.Remove(ctx, k, in.Namespace, in.OnlyRun); err != nil {
			return w.Changes(), err
		}
	}
	return w.Changes(), nil
}

// waitServicesGone waits for the Services that are being deleted, since this try or
// one before it.
func waitServicesGone(ctx context.Context, w *kube.Writer, namespace string) error {
	services, err := w.Owned(ctx, kinds.Services, namespace, "")
	if err != nil {
		return err
	}
	for i := range services {
		if services[i].GetDeletionTimestamp() == nil {
			continue
		}
		if err := w.WaitGone(ctx, kinds.Services, &services[i]); err != nil {
			return err
		}
	}
	return nil
}
