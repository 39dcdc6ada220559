package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutCluster does the guide's steps 3 to 8 on one cluster. What fails is
// undone; the error is then of TypeUnit.
func RolloutCluster(ctx workflow.Context, in api.ClusterInput) (api.ClusterResult, error) {
	l := newCompensation("cluster "+in.ClusterRef.Cluster, in.Rollout)
	if err := l.status.publish(ctx); err != nil {
		return api.ClusterResult{}, err
	}
	l.gate = newGate(ctx)
	result, err := rolloutCluster(ctx, l, in)
	result.Changes.Changes = l.changes
	return result, l.settle(ctx, err)
}

func rolloutCluster(ctx workflow.Context, l *compensation, in api.ClusterInput) (result api.ClusterResult, err error) {
	spec, at := in.Part.Spec, in.ClusterRef
	intermediate := api.IntermediateSpec{Cluster: at.Cluster, Organization: spec.CA.Organization,
		DNSName: "istiod." + at.Namespace + ".svc", KeyAlgorithm: spec.CA.KeyAlgorithm, Lifetime: spec.CA.IntermediateLifetime}
	gateways := api.GatewaySettings{Istio: withoutValues(spec.Istio), Gateways: spec.Gateways}

	// Step 0. The cluster remembers what is about to be applied to it.
	if _, err = step(ctx, l, apiCall(in.Rollout), "0 record", a.EnsureInventory, a.RemoveInventory,
		api.EnsureInventoryInput{ClusterRef: at, Part: in.Part}); err != nil {
		return
	}

	// Step 3. The key is made in the cluster; the root signs its CSR.
	var cert intermediateCert
	if spec.CA.Managed() {
		if cert, err = newIntermediate(ctx, l, in, intermediate); err != nil {
			return
		}
		result.Certificate = cert.facts
	}

	// Step 4. Namespaces, with the network label.
	if _, err = step(ctx, l, apiCall(in.Rollout), "4 namespaces", a.EnsureNamespaces, a.RemoveNamespaces,
		api.EnsureNamespacesInput{ClusterRef: at, Network: in.Network, OnlyControlPlane: !spec.Istio.Managed()}); err != nil {
		return
	}

	// Step 5. cacerts, before istiod starts.
	if spec.CA.Managed() {
		if _, err = step(ctx, l, apiCall(in.Rollout), "5 cacerts", a.EnsureCACerts, a.RemoveCACerts,
			api.EnsureCACertsInput{ClusterRef: at, Current: cert.current, RootPEM: in.RootPEM, CertPEM: cert.pem}); err != nil {
			return
		}
	}

	// Step 6. Istio, by the Sail operator, unless it is there already.
	if spec.Istio.Managed() {
		if err = installIstio(ctx, l, in); err != nil {
			return
		}
	}

	// Step 7. East-west gateway.
	if _, err = step(ctx, l, helmCall(in.Rollout), "7 east-west gateway", a.EnsureEastWestGateway, a.RemoveEastWestGateway,
		api.EnsureEastWestGatewayInput{ClusterRef: at, GatewaySettings: gateways, Network: in.Network}); err != nil {
		return
	}

	// Step 8. The API server behind it, for nobody yet.
	if _, err = step(ctx, l, apiCall(in.Rollout), "8 expose kube-apiserver", a.EnsureExposure, a.RemoveExposure,
		api.EnsureExposureInput{ClusterRef: at, Gateways: spec.Gateways}); err != nil {
		return
	}

	// Step 10, what links share: the account that the others read with, and the
	// key that tokens for this cluster are sealed to.
	if in.IsTarget {
		if _, err = step(ctx, l, apiCall(in.Rollout), "10 reader", a.EnsureReader, a.RemoveReader,
			api.EnsureReaderInput{ClusterRef: at, IstioName: spec.Istio.Rev()}); err != nil {
			return
		}
	}
	if in.IsSource {
		sealing, err := step(ctx, l, apiCall(in.Rollout), "10 sealing key", a.EnsureSealingKey, a.RemoveSealingKey,
			api.EnsureSealingKeyInput{ClusterRef: at})
		if err != nil {
			return result, err
		}
		result.Recipient = sealing.Recipient
	}

	// The address that the cloud gives; it had the time of the steps since 7.
	limit := spec.Gateways.LoadBalancerTimeout.Std()
	lb, err := call(ctx, l, longWait(limit), "11 wait for load balancer", a.WaitLoadBalancer,
		api.WaitLoadBalancerInput{ClusterRef: at, Until: workflow.Now(ctx).Add(limit), EastWest: spec.Gateways.EastWest})
	result.Address = lb.Address
	return result, err
}

// intermediateCert is a cluster's new intermediate, or the news that the one it
// has can stay.
type intermediateCert struct {
	current bool
	pem     string
	facts   api.CertificateFacts
}

func newIntermediate(ctx workflow.Context, l *compensation, in api.ClusterInput, want api.IntermediateSpec) (intermediateCert, error) {
	key, err := step(ctx, l, apiCall(in.Rollout), "3 intermediate key", a.EnsureIntermediateKey, a.RemoveIntermediateKey,
		api.EnsureIntermediateKeyInput{ClusterRef: in.ClusterRef, Spec: want, RootPEM: in.RootPEM})
	if err != nil || key.Current || in.ClusterRef.DryRun {
		return intermediateCert{current: key.Current, facts: key.Facts}, err
	}
	signed, err := call(ctx, l, apiCall(in.Rollout), "3 sign intermediate", a.SignIntermediate,
		api.SignIntermediateInput{RootRef: in.Root, CSR: key.CSR, Spec: want})
	return intermediateCert{pem: signed.CertPEM, facts: signed.Facts}, err
}

func installIstio(ctx workflow.Context, l *compensation, in api.ClusterInput) error {
	istio := in.Part.Spec.Istio
	if _, err := step(ctx, l, apiCall(in.Rollout), "6 istio", a.EnsureIstio, a.RemoveIstio,
		api.EnsureIstioInput{ClusterRef: in.ClusterRef, Istio: istio, Network: in.Network}); err != nil || in.ClusterRef.DryRun {
		return err
	}
	_, err := call(ctx, l, longWait(in.Rollout.StepTimeout.Std()), "6 wait for istio", a.WaitIstio,
		api.WaitIstioInput{ClusterRef: in.ClusterRef, Name: istio.Name})
	return err
}

// withoutValues leaves out what only the Istio resource needs: links carry the
// rest along many times.
func withoutValues(i fleet.Istio) fleet.Istio {
	i.Values = nil
	return i
}
