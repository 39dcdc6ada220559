package workflows

import (
	"cmp"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutCluster does the guide's steps 3 to 8 on one cluster. What fails is undone;
// the error is then of TypeUnit.
func RolloutCluster(ctx workflow.Context, in api.ClusterInput) (api.ClusterResult, error) {
	u, err := newUnitRun(ctx, in.ClusterRef, api.Member(in.ClusterRef.Cluster),
		limits{in.Rollout, settingsOf(in).Gateways.LoadBalancerTimeout.Std()})
	if err != nil {
		return api.ClusterResult{}, err
	}
	result, err := rolloutCluster(ctx, u, in)
	result.Changes.Changes = u.changes
	return result, u.finish(ctx, err)
}

func rolloutCluster(ctx workflow.Context, u *unitRun, in api.ClusterInput) (result api.ClusterResult, err error) {
	ca, settings, ref := in.Part.Spec.CA, settingsOf(in), in.ClusterRef
	gateways := api.GatewaySettings{Istio: forGateways(settings.Istio, in.IstioVersion), Gateways: settings.Gateways}

	// Step 0. The cluster's inventory tells what is about to be applied to it.
	if _, err = run(ctx, u, stepInventory, api.EnsureInventoryInput{ClusterRef: ref, Part: in.Part, Memory: in.Memory}); err != nil {
		return
	}

	// Steps 3 and 4 do not need each other.
	var cert intermediate
	err = u.beside(ctx,
		// Step 3. The key is made in the cluster; the root signs its CSR.
		func(ctx workflow.Context, u *unitRun) (err error) {
			if ca.Managed() {
				cert, err = newIntermediate(ctx, u, in)
			}
			return err
		},
		// Step 4. Namespaces, with the network label.
		func(ctx workflow.Context, u *unitRun) error {
			_, err := run(ctx, u, stepNamespaces, api.EnsureNamespacesInput{ClusterRef: ref, Network: in.Network, OnlyControlPlane: !settings.Istio.Managed()})
			return err
		})
	if result.Certificate = cert.facts; err != nil {
		return
	}

	// Step 5. cacerts, before istiod starts.
	if ca.Managed() {
		if _, err = run(ctx, u, stepCACerts, api.EnsureCACertsInput{ClusterRef: ref, Current: cert.current, RootPEM: in.RootPEM, TrustPEM: in.TrustPEM, CertPEM: cert.pem}); err != nil {
			return
		}
	}

	// Step 6. Istio, by the Sail operator, unless it is there already.
	if settings.Istio.Managed() {
		if err = installIstio(ctx, u, in); err != nil {
			return
		}
	}

	// What the links need of the cluster, and its address.
	err = u.beside(ctx,
		func(ctx workflow.Context, u *unitRun) (err error) {
			result.Address, err = rolloutEastWest(ctx, u, in, gateways)
			return err
		},
		func(ctx workflow.Context, u *unitRun) (err error) {
			result.Recipient, err = rolloutExposure(ctx, u, in)
			return err
		})
	return
}

// rolloutEastWest makes the east-west gateway, and returns its address.
func rolloutEastWest(ctx workflow.Context, u *unitRun, in api.ClusterInput, gateways api.GatewaySettings) (fleet.Address, error) {
	// Step 7. East-west gateway.
	ref, eastWest := in.ClusterRef, gateways.Gateways.EastWest
	if _, err := run(ctx, u, stepEastWest, api.EnsureEastWestGatewayInput{ClusterRef: ref, GatewaySettings: gateways, Network: in.Network}); err != nil {
		return fleet.Address{}, err
	}

	// Step 11 needs an address: that of the file, or else the one that the cloud gives.
	// The cloud began with step 7, and has loadBalancerTimeout from now on.
	if eastWest.Address.Known() {
		return eastWest.Address, nil
	}
	lb, err := run(ctx, u, stepLoadBalancer, api.WaitLoadBalancerInput{ClusterRef: ref, Limit: u.limits.loadBalancer, EastWest: eastWest})
	return lb.Address, err
}

// rolloutExposure puts the API server behind the east-west gateway, and returns the key to which
// tokens for this cluster are sealed.
func rolloutExposure(ctx workflow.Context, u *unitRun, in api.ClusterInput) (recipient string, err error) {
	// Step 8. No source is let in yet: each link does that.
	if _, err = run(ctx, u, stepExposure, exposureOf(in.ClusterRef, in.Part)); err != nil || !in.IsSource {
		return "", err
	}

	// Step 10, the part that all links share.
	sealing, err := run(ctx, u, stepSealingKey, api.EnsureSealingKeyInput{ClusterRef: in.ClusterRef})
	return sealing.Recipient, err
}

// exposureOf describes how a cluster is exposed to those that its part of the fleet links it with.
func exposureOf(ref api.ClusterRef, part fleet.Fleet) api.EnsureExposureInput {
	c, _ := part.Cluster(ref.Cluster)
	in := api.EnsureExposureInput{ClusterRef: ref, Gateways: part.Settings(c).Gateways}
	if ref.Adopt {
		in.Guide = part.GuideIdentities(ref.Cluster)
	}
	return in
}

// intermediate holds a cluster's new certificate, or says that the one it has can stay.
type intermediate struct {
	current bool
	pem     string
	facts   api.CertificateFacts
}

// newIntermediate runs step 3: the cluster makes a key, and the root or its issuer signs
// its CSR.
func newIntermediate(ctx workflow.Context, u *unitRun, in api.ClusterInput) (intermediate, error) {
	want := intermediateOf(in.ClusterRef, in.Part.Spec.CA)
	key, err := run(ctx, u, stepIntermediateKey, api.EnsureIntermediateKeyInput{ClusterRef: in.ClusterRef, Spec: want, RootPEM: in.RootPEM, TrustPEM: in.TrustPEM})
	if err != nil || key.Current || in.ClusterRef.DryRun {
		return intermediate{current: key.Current, facts: key.Facts}, err
	}
	signed, err := run(ctx, u, stepSign, api.SignIntermediateInput{RootRef: in.Root, Member: in.ClusterRef, CSR: key.CSR, Spec: want, RootPEM: in.RootPEM})
	return intermediate{pem: signed.CertPEM, facts: signed.Facts}, err
}

// intermediateOf describes the intermediate of a cluster.
func intermediateOf(ref api.ClusterRef, ca fleet.CA) api.IntermediateSpec {
	return api.IntermediateSpec{Cluster: ref.Cluster, Organization: ca.Organization,
		DNSName: "istiod." + ref.Namespace + ".svc", KeyAlgorithm: ca.KeyAlgorithm, Lifetime: ca.IntermediateLifetime, Issuer: ca.Issuer.Given()}
}

// installIstio runs step 6: it creates the Sail operator's resources, waits until the
// operator has installed Istio, and lets those who read the cluster read it with that one.
func installIstio(ctx workflow.Context, u *unitRun, in api.ClusterInput) error {
	settings := settingsOf(in)
	istio := settings.Istio
	want := api.EnsureIstioInput{ClusterRef: in.ClusterRef, Istio: istio, Network: in.Network, DualStack: settings.Gateways.EastWest.Service.DualStack()}
	if _, err := run(ctx, u, stepIstio, want); err != nil || in.ClusterRef.DryRun {
		return err
	}
	if _, err := run(ctx, u, stepWaitIstio, api.WaitIstioInput{ClusterRef: in.ClusterRef, Name: istio.Name}); err != nil {
		return err
	}
	_, err := run(ctx, u, stepBindReaders, api.BindReadersInput{ClusterRef: in.ClusterRef, Revision: istio.Rev()})
	return err
}

// settingsOf returns the settings of the cluster that is rolled out.
func settingsOf(in api.ClusterInput) fleet.Settings {
	c, _ := in.Part.Cluster(in.ClusterRef.Cluster)
	return in.Part.Settings(c)
}

// forGateways returns what gateways need of an Istio: its real version, which may hide
// behind an alias, or be known only in the cluster.
func forGateways(i fleet.Istio, version string) fleet.Istio {
	i.Version = cmp.Or(version, i.Version, fleet.DefaultIstioVersion)
	return withoutValues(i)
}

// withoutValues drops the values, which only Sail's resources need: the rest goes into
// the input of every link.
func withoutValues(i fleet.Istio) fleet.Istio {
	i.Values, i.CNIValues = nil, nil
	return i
}
